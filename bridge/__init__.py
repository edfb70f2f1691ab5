"""The bridge between a hospital's HL7 v2 and FHIR and ZautoAI's REST API."""

__version__ = "0.1.0"
