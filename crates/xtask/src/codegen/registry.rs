//! Writes what is made from all tables together: the list of modules and the table of APIs.

use super::rust::{NOTICE, snake};
use super::schema::Table;

/// `generated/mod.rs`.
pub fn modules(tables: &[Table]) -> String {
    let mut out = String::from("//! All messages, one module an API.\n//!\n");
    out += NOTICE;
    out += "\nmod api_key;\nmod error_code;\n#[cfg(feature = \"testing\")]\nmod arbitrary;\n";
    for table in tables {
        out += &format!("pub mod {};\n", snake(&table.name));
    }
    out += "\npub use api_key::ApiKey;\n";
    for table in tables {
        let roots: Vec<&str> = table
            .messages
            .iter()
            .map(|message| message.root().name.as_str())
            .collect();
        out += &format!("pub use {}::{{{}}};\n", snake(&table.name), roots.join(", "));
    }
    out + &for_each(tables)
}

/// A macro over all APIs: generic code over messages (tests, clients) needs no second list.
fn for_each(tables: &[Table]) -> String {
    let mut out = String::from(
        "\n/// Calls the macro `$callback` once with a row `Api ApiRequest ApiResponse;` for each API.\n\
         #[macro_export]\nmacro_rules! for_each_api {\n    ($callback:ident) => {\n        $callback! {\n",
    );
    for table in apis(tables) {
        let name = &table.name;
        out += &format!("            {name} {name}Request {name}Response;\n");
    }
    out + "        }\n    };\n}\n"
}

fn apis(tables: &[Table]) -> impl Iterator<Item = &Table> {
    let mut apis: Vec<&Table> = tables.iter().filter(|table| table.key.is_some()).collect();
    apis.sort_by_key(|table| table.key);
    apis.into_iter()
}

/// `generated/api_key.rs`.
pub fn api_key(tables: &[Table]) -> String {
    let (mut variants, mut all, mut codes, mut facts) =
        (String::new(), String::new(), String::new(), String::new());
    for table in apis(tables) {
        let name = &table.name;
        let key = table.key.expect("only APIs come here");
        let doc = table.docs.first().map_or("", String::as_str);
        variants += &format!("/// {doc}\n{name} = {key},\n");
        all += &format!("Self::{name},\n");
        codes += &format!("{key} => Self::{name},\n");
        let (min, max) = (table.versions.min, table.versions.max);
        let stable = table.unstable_from.map_or(max, |from| from - 1);
        let flexible = table
            .flexible_from
            .map_or("i16::MAX".to_owned(), |from| from.to_string());
        facts += &format!("Self::{name} => Facts::row({name:?}, {min}, {max}, {stable}, {flexible}),\n");
    }
    format!(
        "//! The numbers and versions of the APIs.\n//!\n{NOTICE}\n\
         use crate::api::Facts;\n\n\
         /// An API of the protocol.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n#[repr(i16)]\n\
         pub enum ApiKey {{\n{variants}}}\n\n\
         impl ApiKey {{\n\
         /// All APIs, in the order of their numbers.\n\
         pub const ALL: &'static [Self] = &[\n{all}];\n\n\
         pub(crate) const fn from_code(code: i16) -> Option<Self> {{\n\
         Some(match code {{\n{codes}_ => return None,\n}})\n}}\n\n\
         pub(crate) const fn facts(self) -> Facts {{\nmatch self {{\n{facts}}}\n}}\n}}\n"
    )
}
