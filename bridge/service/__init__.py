"""Builds, starts and stops the whole service."""
