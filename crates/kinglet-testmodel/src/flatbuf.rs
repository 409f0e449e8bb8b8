//! A small FlatBuffers writer: objects in, bytes out.
//!
//! A table is written before what it points at, so that every offset leads forwards, as the format
//! demands. Nothing is shared, but where [`Object::Alias`] asks for it.

/// Something that an offset can lead to.
#[derive(Clone, Debug)]
pub enum Object {
    /// A table: its fields by slot. Slots that are not named are absent.
    Table(Vec<(u16, Field)>),
    /// A vector of scalars.
    Scalars {
        /// Number of elements.
        len: u32,
        /// Alignment of the first.
        align: usize,
        /// The elements, little-endian.
        bytes: Vec<u8>,
    },
    /// A vector of tables.
    Tables(Vec<Object>),
    /// A vector of as many offsets, all to the same table.
    Alias(u32, Box<Object>),
    /// A string.
    Text(String),
}

/// The value of a table's field.
#[derive(Clone, Debug)]
pub enum Field {
    /// A scalar, little-endian; aligned to its size.
    Scalar(Vec<u8>),
    /// An offset to something.
    Offset(Object),
}

macro_rules! scalar {
    ($($name:ident: $ty:ty),*) => {$(
        #[doc = concat!("A field of type ", stringify!($ty), ".")]
        pub fn $name(value: $ty) -> Field {
            Field::Scalar(value.to_le_bytes().to_vec())
        }
    )*};
}
scalar!(i8: i8, u8: u8, i32: i32, u32: u32, u64: u64, f32: f32);

macro_rules! vector {
    ($($name:ident: $ty:ty),*) => {$(
        #[doc = concat!("A field that is a vector of ", stringify!($ty), ".")]
        pub fn $name(values: &[$ty]) -> Field {
            Field::Offset(Object::Scalars {
                len: values.len() as u32,
                align: size_of::<$ty>(),
                bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            })
        }
    )*};
}
vector!(i32s: i32, i64s: i64, f32s: f32);

/// A field that is a vector of bytes, of which the first is at a multiple of `align`.
pub fn bytes(bytes: &[u8], align: usize) -> Field {
    Field::Offset(Object::Scalars { len: bytes.len() as u32, align, bytes: bytes.to_vec() })
}

/// A field that is a string.
pub fn text(text: &str) -> Field {
    Field::Offset(Object::Text(text.to_owned()))
}

/// A field that is a vector of tables.
pub fn tables(tables: impl IntoIterator<Item = Object>) -> Field {
    Field::Offset(Object::Tables(tables.into_iter().collect()))
}

/// A file whose root is `root`.
pub fn file(identifier: [u8; 4], root: &Object) -> Vec<u8> {
    let mut writer = Writer { bytes: vec![0; 4] };
    writer.bytes.extend(identifier);
    let at = writer.object(root);
    writer.point(0, at);
    writer.bytes
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn align(&mut self, align: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(align), 0);
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Lets the offset at `from` lead to `to`.
    fn point(&mut self, from: usize, to: usize) {
        self.put(from, &((to - from) as u32).to_le_bytes());
    }

    /// Writes an object and all it points at. Returns its position.
    fn object(&mut self, object: &Object) -> usize {
        match object {
            Object::Table(fields) => self.table(fields),
            Object::Scalars { len, align, bytes } => {
                // The length comes before the first element.
                self.align(4);
                self.bytes.resize((self.bytes.len() + 4).next_multiple_of(*align) - 4, 0);
                let at = self.bytes.len();
                self.bytes.extend(len.to_le_bytes());
                self.bytes.extend(bytes);
                at
            }
            Object::Tables(tables) => {
                let at = self.offsets(tables.len());
                for (i, table) in tables.iter().enumerate() {
                    let to = self.object(table);
                    self.point(at + 4 + 4 * i, to);
                }
                at
            }
            Object::Alias(len, table) => {
                let at = self.offsets(*len as usize);
                let to = self.object(table);
                for i in 0..*len as usize {
                    self.point(at + 4 + 4 * i, to);
                }
                at
            }
            Object::Text(text) => {
                self.align(4);
                let at = self.bytes.len();
                self.bytes.extend((text.len() as u32).to_le_bytes());
                self.bytes.extend(text.as_bytes());
                self.bytes.push(0);
                at
            }
        }
    }

    /// A vector of `len` offsets that are still to be set.
    fn offsets(&mut self, len: usize) -> usize {
        self.align(4);
        let at = self.bytes.len();
        self.bytes.extend((len as u32).to_le_bytes());
        self.bytes.resize(self.bytes.len() + 4 * len, 0);
        at
    }

    fn table(&mut self, fields: &[(u16, Field)]) -> usize {
        let slots = fields.iter().map(|(slot, _)| usize::from(*slot) + 1).max().unwrap_or(0);
        self.align(2);
        let vtable = self.bytes.len();
        self.bytes.resize(vtable + 4 + 2 * slots, 0);
        self.align(8);
        let at = self.bytes.len();
        self.bytes.extend(((at - vtable) as i32).to_le_bytes());
        let mut children = Vec::new();
        for (slot, field) in fields {
            let scalar = match field {
                Field::Scalar(bytes) => bytes.as_slice(),
                Field::Offset(_) => &[0; 4],
            };
            self.align(scalar.len());
            let field_at = self.bytes.len();
            self.bytes.extend(scalar);
            self.put(vtable + 4 + 2 * usize::from(*slot), &((field_at - at) as u16).to_le_bytes());
            if let Field::Offset(child) = field {
                children.push((field_at, child));
            }
        }
        let size = self.bytes.len() - at;
        self.put(vtable, &((4 + 2 * slots) as u16).to_le_bytes());
        self.put(vtable + 2, &(size as u16).to_le_bytes());
        for (from, child) in children {
            let to = self.object(child);
            self.point(from, to);
        }
        at
    }
}
