//! Programs that show FerrisStreams at work: see `src/bin`, and `demo` for SQL over files.
