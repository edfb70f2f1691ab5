"""HL7 v2 without I/O: framing, reading, acknowledging, writing."""
