//! Programs that show FerrisStreams at work.
