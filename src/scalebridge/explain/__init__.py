"""Why a surrogate says what it says, and where it errs."""
