"""Tests beside a mapping, `hl7v2/adt_registration_test.yaml`: a message in, the expected calls out.

`language` is what such a file can say, `parse` reads it, `compare` tells what differs from what a
mapping made, `write` writes down what it made. Running one needs more than a mapping, and is done
by `bridge.study.trial`.
"""
