//! The management API over HTTP: routes, principals, problem answers. Each handler authenticates, reads what a rule
//! needs, asks the rule, and writes what it allows.
