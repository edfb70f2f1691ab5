"""What-if: past traffic through two sets of mappings, and what would be called otherwise."""
