//! The shape of a type or function, as one line of text: what two contracts are compared by.

use wit_parser::{Function, FunctionKind, Handle, Resolve, Type, TypeDef, TypeDefKind, TypeId};

/// A type as a parameter or field has it: a name where it has one, otherwise what it is made of.
pub fn of(resolve: &Resolve, ty: &Type) -> String {
    let name = match ty {
        Type::Id(id) => return named(resolve, *id),
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
    };
    name.to_owned()
}

/// A name that stands for a type of another interface counts as that type.
fn named(resolve: &Resolve, id: TypeId) -> String {
    let definition = &resolve.types[id];
    match (&definition.kind, &definition.name) {
        (TypeDefKind::Type(Type::Id(other)), _) => named(resolve, *other),
        (_, Some(name)) => name.clone(),
        (kind, None) => made_of(resolve, kind),
    }
}

/// What a type is made of.
pub fn made_of(resolve: &Resolve, kind: &TypeDefKind) -> String {
    let one = |ty: &Type| of(resolve, ty);
    let maybe = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), one);
    match kind {
        TypeDefKind::Option(ty) => format!("option<{}>", one(ty)),
        TypeDefKind::List(ty) => format!("list<{}>", one(ty)),
        TypeDefKind::FixedLengthList(ty, length) => format!("list<{}, {length}>", one(ty)),
        TypeDefKind::Map(key, value) => format!("map<{}, {}>", one(key), one(value)),
        TypeDefKind::Result(result) => {
            format!("result<{}, {}>", maybe(&result.ok), maybe(&result.err))
        }
        TypeDefKind::Tuple(tuple) => format!("tuple<{}>", joined(tuple.types.iter().map(one))),
        TypeDefKind::Handle(Handle::Own(id)) => format!("own<{}>", named(resolve, *id)),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", named(resolve, *id)),
        TypeDefKind::Future(ty) => format!("future<{}>", maybe(ty)),
        TypeDefKind::Stream(ty) => format!("stream<{}>", maybe(ty)),
        TypeDefKind::Type(ty) => one(ty),
        TypeDefKind::Resource | TypeDefKind::Unknown => kind.as_str().to_owned(),
        TypeDefKind::Record(_)
        | TypeDefKind::Variant(_)
        | TypeDefKind::Enum(_)
        | TypeDefKind::Flags(_) => format!(
            "{} {{ {} }}",
            kind.as_str(),
            joined(parts(resolve, kind).into_iter())
        ),
    }
}

/// The fields, arms or words of a type that has such, in their order.
pub fn parts(resolve: &Resolve, kind: &TypeDefKind) -> Vec<String> {
    match kind {
        TypeDefKind::Record(record) => {
            let field = |(name, ty): (&String, &Type)| format!("{name}: {}", of(resolve, ty));
            let fields = record.fields.iter().map(|part| (&part.name, &part.ty));
            fields.map(field).collect()
        }
        TypeDefKind::Variant(variant) => {
            let arm = |name: &String, ty: &Option<Type>| match ty {
                Some(ty) => format!("{name}({})", of(resolve, ty)),
                None => name.clone(),
            };
            let cases = variant.cases.iter();
            cases.map(|case| arm(&case.name, &case.ty)).collect()
        }
        TypeDefKind::Enum(words) => words.cases.iter().map(|case| case.name.clone()).collect(),
        TypeDefKind::Flags(words) => words.flags.iter().map(|flag| flag.name.clone()).collect(),
        _ => Vec::new(),
    }
}

/// What a named type is called beside its name: `record`, `variant`, ….
pub fn word(definition: &TypeDef) -> &'static str {
    definition.kind.as_str()
}

/// A function's parameters and result. The handle a method is called on is left out: it is its resource's.
pub fn function(resolve: &Resolve, function: &Function) -> String {
    let own = usize::from(matches!(function.kind, FunctionKind::Method(_)));
    let parameter = |name: &str, ty: &Type| format!("{name}: {}", of(resolve, ty));
    let parameters = function.params.iter().skip(own);
    let parameters = joined(parameters.map(|one| parameter(&one.name, &one.ty)));
    let result = match (&function.kind, &function.result) {
        (FunctionKind::Constructor(_), _) | (_, None) => String::new(),
        (_, Some(ty)) => format!(" -> {}", of(resolve, ty)),
    };
    format!("func({parameters}){result}")
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
