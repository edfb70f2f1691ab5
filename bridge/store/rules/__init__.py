"""What must happen in every store, whatever database is behind it: pure code over `Statements`."""
