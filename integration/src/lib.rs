//! chapter
