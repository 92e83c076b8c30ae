//! What a schema table says, after parsing. Owns the version arithmetic; knows neither the notation nor Rust.

/// An inclusive range of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub min: i16,
    pub max: i16,
}

impl Versions {
    pub fn contains(self, version: i16) -> bool {
        (self.min..=self.max).contains(&version)
    }

    pub fn covers(self, other: Versions) -> bool {
        self.min <= other.min && other.max <= self.max
    }

    pub fn union(self, other: Versions) -> Versions {
        Versions {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Int64,
    Float64,
    Uuid,
    String,
    Bytes,
    Records,
    Struct(String),
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub base: Base,
    pub array: bool,
    pub versions: Versions,
    /// Versions at which it may be null.
    pub nullable: Option<Versions>,
    pub tag: Option<u32>,
    pub default: Option<String>,
    /// Whether a value is dropped silently at versions without the field.
    pub ignorable: bool,
    /// Whether it is kept out of `Debug`.
    pub secret: bool,
}

#[derive(Clone, Debug)]
pub struct Struct {
    pub name: String,
    /// Versions at which it occurs in its message.
    pub versions: Versions,
    pub fields: Vec<Field>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Request,
    Response,
    Data,
}

/// A root struct and the structs it is made of.
#[derive(Clone, Debug)]
pub struct Message {
    pub role: Role,
    /// The root first.
    pub structs: Vec<Struct>,
}

impl Message {
    pub fn root(&self) -> &Struct {
        &self.structs[0]
    }

    pub fn find(&self, name: &str) -> Option<&Struct> {
        self.structs.iter().find(|candidate| candidate.name == name)
    }
}

/// One table file.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    /// `None` for data that travels inside byte fields.
    pub key: Option<i16>,
    pub versions: Versions,
    pub flexible_from: Option<i16>,
    /// First version that is not final: readable, never advertised.
    pub unstable_from: Option<i16>,
    pub docs: Vec<String>,
    pub messages: Vec<Message>,
}

impl Table {
    pub fn flexible(&self, version: i16) -> bool {
        self.flexible_from.is_some_and(|from| version >= from)
    }

    /// Fewest bytes of one `name` at any version at which it occurs.
    pub fn bytes_min(&self, message: &Message, name: &str) -> usize {
        let found = message.find(name).expect("the parser resolved every struct");
        let versions = found.versions.min..=found.versions.max;
        let sizes = versions.map(|version| self.struct_bytes_min(message, found, version));
        sizes.min().expect("a range of versions is never empty")
    }

    fn struct_bytes_min(&self, message: &Message, of: &Struct, version: i16) -> usize {
        let present = of
            .fields
            .iter()
            .filter(|field| field.tag.is_none() && field.versions.contains(version));
        let fields: usize = present
            .map(|field| self.field_bytes_min(message, field, version))
            .sum();
        fields + usize::from(self.flexible(version))
    }

    fn field_bytes_min(&self, message: &Message, field: &Field, version: i16) -> usize {
        let flexible = self.flexible(version);
        if field.array {
            return if flexible { 1 } else { 4 };
        }
        match &field.base {
            Base::Bool | Base::Int8 => 1,
            Base::Int16 | Base::Uint16 => 2,
            Base::Int32 => 4,
            Base::Int64 | Base::Float64 => 8,
            Base::Uuid => 16,
            Base::String | Base::Bytes | Base::Records if flexible => 1,
            Base::String => 2,
            Base::Bytes | Base::Records => 4,
            Base::Struct(_) if field.nullable.is_some() => 1,
            Base::Struct(name) => {
                let inner = message.find(name).expect("the parser resolved every struct");
                self.struct_bytes_min(message, inner, version)
            }
        }
    }
}
