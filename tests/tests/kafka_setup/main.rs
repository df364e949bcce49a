//! Applications whose surroundings are not as they have to be: each ends and says what to do.

mod rights;
mod surroundings;
mod trial;
