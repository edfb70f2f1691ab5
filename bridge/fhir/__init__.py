"""FHIR R4 without I/O: reading, outcomes, capability, validation."""
