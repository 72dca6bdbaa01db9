//! (in preparation)

pub struct Server;
