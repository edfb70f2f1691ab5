"""A message without its people: names, numbers, dates and free text replaced by others.

What stays is on a list (`allowed`): structure, delimiters, message type, codes of HL7's, FHIR's and
our own tables. Everything else is replaced, what nobody knows included: letters by letters of the
same script and case, digits by digits, of the same length; the same text by the same text within a
message, and all dates moved by the same number of days. So the message keeps its shape, and what
the mappings make of it keeps its own.
"""
