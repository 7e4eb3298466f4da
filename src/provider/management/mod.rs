//! The client of storekeeper's own management server.
