//! Tables whose rows are pushed: what a push says, the table it leaves, and how a program gets its rows. In: text and the
//! site's own word of its tables. Out: bytes to store, rows to put into a program. Nothing is stored here.

mod csv;

mod push;

mod table;

mod bytes;

pub use push::Push;
pub use table::{Row, Table};
