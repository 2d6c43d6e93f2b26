//! What a plugin's file consists of, looked at before any of it is checked or compiled.
//!
//! Checking and compiling take time and memory that do not follow from the size of a file: a few
//! bytes can stand for a million instances. So what there is of everything is counted first, in one
//! pass that takes a file as it comes, keeps nothing of it and goes into nothing by recursion.

use kjerne_core::limits::Limit;
use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentTypeRef, CompositeInnerType,
    Element, ElementItems, Encoding, FromReader, FunctionBody, Instance, Operator, Parser, Payload,
    SectionLimited,
};

use crate::error::PackageError;
use crate::limits;

/// The custom section that holds the manifest.
pub const MANIFEST_SECTION: &str = "kjerne:manifest";
/// The custom section that holds the default settings.
pub const SETTINGS_SECTION: &str = "kjerne:settings";

/// What stands at the outside of a component.
#[derive(Default)]
pub struct Outline {
    /// The names of its imports.
    pub imports: Vec<String>,
    /// The names of its exports.
    pub exports: Vec<String>,
    /// Its manifest.
    pub manifest: Option<String>,
    /// Its default settings.
    pub settings: Option<String>,
    /// What its modules take.
    pub needs: Needs,
}

/// What an instance of a plugin takes at least, as its modules say. One that is made twice takes it twice,
/// which is known when it is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// Bytes of the largest memory a module begins with.
    pub memory: u64,
    /// Elements of the largest table a module begins with.
    pub table: u64,
    /// The most memories a module has of its own.
    pub memories: u64,
    /// The most tables a module has of its own.
    pub tables: u64,
}

impl Needs {
    fn take(&mut self, payload: &Payload<'_>) -> Result<(), PackageError> {
        match payload {
            Payload::MemorySection(section) => {
                self.memories = self.memories.max(section.count().into());
                for memory in section.clone() {
                    let memory = memory.map_err(invalid)?;
                    let page = 1_u64 << memory.page_size_log2.unwrap_or(16).min(16);
                    self.memory = self.memory.max(memory.initial.saturating_mul(page));
                }
            }
            Payload::TableSection(section) => {
                self.tables = self.tables.max(section.count().into());
                for table in section.clone() {
                    self.table = self.table.max(table.map_err(invalid)?.ty.initial);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Outline {
    /// Looks through a file.
    ///
    /// # Errors
    /// When it is no component, is damaged, or has more of something than is taken.
    pub fn read(bytes: &[u8]) -> Result<Self, PackageError> {
        Self::read_counting(bytes, Counts::default())
    }

    /// Looks at the outside of a file that was looked through before.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn read_again(bytes: &[u8]) -> Result<Self, PackageError> {
        let counts = Counts {
            known: true,
            ..Counts::default()
        };
        Self::read_counting(bytes, counts)
    }

    fn read_counting(bytes: &[u8], mut counts: Counts) -> Result<Self, PackageError> {
        let mut outline = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(invalid)?;
            if matches!(
                payload,
                Payload::Version {
                    encoding: Encoding::Module,
                    ..
                }
            ) && counts.open.is_empty()
            {
                return Err(PackageError::CoreModule);
            }
            if let Payload::ComponentTypeSection(section) = &payload {
                nesting(&bytes[section.range()])?;
            }
            counts.take(&payload)?;
            outline.needs.take(&payload)?;
            if counts.open.len() <= 1 && counts.modules == 0 {
                outline.take(payload)?;
            }
        }
        Ok(outline)
    }

    fn take(&mut self, payload: Payload<'_>) -> Result<(), PackageError> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.imports
                        .push(import.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    self.exports
                        .push(export.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) => match section.name() {
                MANIFEST_SECTION => {
                    only(
                        "manifest",
                        &mut self.manifest,
                        section.data(),
                        limits::MANIFEST,
                    )?;
                }
                SETTINGS_SECTION => {
                    only(
                        "settings",
                        &mut self.settings,
                        section.data(),
                        limits::SETTINGS,
                    )?;
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

/// Takes a section of text of which there may be one: of two, one reader would believe the first
/// and another the last.
fn only(
    what: &str,
    place: &mut Option<String>,
    data: &[u8],
    limit: Limit,
) -> Result<(), PackageError> {
    let wrong = |why: String| {
        Err(PackageError::BadManifest(format!(
            "its {what} section {why}"
        )))
    };
    if place.is_some() {
        return wrong("is there twice; build it again from one source".to_owned());
    }
    if data.len() as u64 > limit.value {
        let (found, most) = (data.len(), limit.value);
        return wrong(format!("has {found} bytes; at most {most} are allowed"));
    }
    match std::str::from_utf8(data) {
        Ok(text) => *place = Some(text.to_owned()),
        Err(_) => return wrong("is not UTF-8".to_owned()),
    }
    Ok(())
}

/// Types within types are read by recursion. Each that stands in another one begins with one of
/// these pairs of bytes, so that there are no more levels than there are pairs.
fn nesting(types: &[u8]) -> Result<(), PackageError> {
    let begins = |pair: &&[u8]| matches!(pair, [0x01, 0x41 | 0x42]);
    let levels = types.windows(2).filter(begins).count();
    within(limits::TYPE_NESTING, levels as u64)
}

/// What wasmparser says is wrong with a file.
#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
pub fn invalid(error: wasmparser::BinaryReaderError) -> PackageError {
    PackageError::Invalid(error.to_string())
}

/// Holds a number against a limit of the file.
pub fn within(limit: Limit, found: u64) -> Result<(), PackageError> {
    if found > limit.value {
        Err(PackageError::TooLarge {
            limit,
            found: Some(found),
        })
    } else {
        Ok(())
    }
}

/// Adds to what there is of something.
fn add(limit: Limit, count: &mut u64, more: u64) -> Result<(), PackageError> {
    *count += more;
    within(limit, *count)
}

/// What there is of everything, so far.
#[derive(Default)]
struct Counts {
    /// Whether the file was counted before, and only its levels are.
    known: bool,
    /// The components that are open, the outermost first: the instances each comes to.
    open: Vec<u64>,
    /// The core modules that are open: one or none.
    modules: u64,
    /// The most instances that a component comes to that is whole. One that makes an instance of a
    /// component makes it of one that is whole, so it comes to no more than this for each.
    largest: u64,
    sections: u64,
    items: u64,
    type_bytes: u64,
    functions: u64,
    elements: u64,
    locals: u64,
}

impl Counts {
    fn take(&mut self, payload: &Payload<'_>) -> Result<(), PackageError> {
        match payload {
            Payload::Version { encoding, .. } => self.begin(*encoding),
            Payload::End(_) => {
                self.end();
                Ok(())
            }
            _ if self.known => Ok(()),
            // A function's body is no section: they stand in one together.
            Payload::CodeSectionEntry(body) => self.function(body),
            payload => {
                add(limits::SECTIONS, &mut self.sections, 1)?;
                self.take_of_module(payload)
            }
        }
    }

    fn take_of_module(&mut self, payload: &Payload<'_>) -> Result<(), PackageError> {
        match payload {
            Payload::TypeSection(section) => self.core_types(section),
            Payload::FunctionSection(section) => add(
                limits::FUNCTIONS,
                &mut self.functions,
                section.count().into(),
            ),
            Payload::ImportSection(section) => self.items(section.count()),
            Payload::ExportSection(section) => self.items(section.count()),
            Payload::GlobalSection(section) => self.items(section.count()),
            Payload::TableSection(section) => self.items(section.count()),
            Payload::MemorySection(section) => self.items(section.count()),
            Payload::DataSection(section) => self.items(section.count()),
            Payload::ElementSection(section) => self.elements(section),
            _ => self.take_of_component(payload),
        }
    }

    fn take_of_component(&mut self, payload: &Payload<'_>) -> Result<(), PackageError> {
        match payload {
            Payload::InstanceSection(section) => self.core_instances(section),
            Payload::ComponentInstanceSection(section) => self.instances(section),
            Payload::CoreTypeSection(section) => self.types(section),
            Payload::ComponentTypeSection(section) => self.types(section),
            Payload::ComponentCanonicalSection(section) => self.section(section).map(drop),
            Payload::ComponentExportSection(section) => self.section(section).map(drop),
            Payload::ComponentAliasSection(section) => {
                let taken = |alias: ComponentAlias<'_>| match alias {
                    ComponentAlias::InstanceExport { kind, .. } => {
                        kind == ComponentExternalKind::Component
                    }
                    _ => false,
                };
                self.none(section, taken)
            }
            Payload::ComponentImportSection(section) => {
                self.none(section, |import: wasmparser::ComponentImport<'_>| {
                    matches!(import.ty, ComponentTypeRef::Component(_))
                })
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, encoding: Encoding) -> Result<(), PackageError> {
        match encoding {
            Encoding::Module => self.modules += 1,
            Encoding::Component => self.open.push(1),
        }
        within(limits::NESTING, self.open.len() as u64)
    }

    fn end(&mut self) {
        if self.modules > 0 {
            self.modules -= 1;
        } else if let Some(instances) = self.open.pop() {
            self.largest = self.largest.max(instances);
        }
    }

    fn items(&mut self, count: u32) -> Result<(), PackageError> {
        add(limits::ITEMS, &mut self.items, count.into())
    }

    /// Counts the items of a section of a component.
    fn section<T>(&mut self, section: &SectionLimited<'_, T>) -> Result<u64, PackageError> {
        let count = section.count().into();
        within(limits::SECTION_ITEMS, count)?;
        self.items(section.count())?;
        Ok(count)
    }

    /// Counts the items of a section in which there must be none of a kind: a component that is
    /// handed over is made instances of by one that was whole before it.
    fn none<'a, T: FromReader<'a>>(
        &mut self,
        section: &SectionLimited<'a, T>,
        is_component: impl Fn(T) -> bool,
    ) -> Result<(), PackageError> {
        self.section(section)?;
        for item in section.clone() {
            if is_component(item.map_err(invalid)?) {
                let why = "it hands components over as if they were values";
                return Err(PackageError::Invalid(why.to_owned()));
            }
        }
        Ok(())
    }

    fn types<T>(&mut self, section: &SectionLimited<'_, T>) -> Result<(), PackageError> {
        self.section(section)?;
        let range = section.range();
        add(limits::TYPE_BYTES, &mut self.type_bytes, range.len() as u64)?;
        Ok(())
    }

    fn core_types(
        &mut self,
        section: &wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), PackageError> {
        self.items(section.count())?;
        add(
            limits::TYPE_BYTES,
            &mut self.type_bytes,
            section.range().len() as u64,
        )?;
        for group in section.clone() {
            for one in group.map_err(invalid)?.types() {
                if let CompositeInnerType::Func(function) = &one.composite_type.inner {
                    let values = function.params().len() + function.results().len();
                    within(limits::PARAMETERS, values as u64)?;
                }
            }
        }
        Ok(())
    }

    fn core_instances(
        &mut self,
        section: &wasmparser::InstanceSectionReader<'_>,
    ) -> Result<(), PackageError> {
        self.section(section)?;
        for instance in section.clone() {
            if matches!(instance.map_err(invalid)?, Instance::Instantiate { .. }) {
                self.expand(1)?;
            }
        }
        Ok(())
    }

    fn instances(
        &mut self,
        section: &wasmparser::ComponentInstanceSectionReader<'_>,
    ) -> Result<(), PackageError> {
        self.section(section)?;
        for instance in section.clone() {
            if matches!(
                instance.map_err(invalid)?,
                ComponentInstance::Instantiate { .. }
            ) {
                self.expand(self.largest)?;
            }
        }
        Ok(())
    }

    fn expand(&mut self, instances: u64) -> Result<(), PackageError> {
        match self.open.last_mut() {
            Some(open) => add(limits::EXPANSION, open, instances),
            None => Ok(()),
        }
    }

    fn elements(
        &mut self,
        section: &wasmparser::ElementSectionReader<'_>,
    ) -> Result<(), PackageError> {
        self.items(section.count())?;
        for element in section.clone() {
            let Element { items, .. } = element.map_err(invalid)?;
            let count = match items {
                ElementItems::Functions(items) => items.count(),
                ElementItems::Expressions(_, items) => items.count(),
            };
            add(limits::ELEMENTS, &mut self.elements, count.into())?;
        }
        Ok(())
    }

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<(), PackageError> {
        within(limits::FUNCTION_BYTES, body.range().len() as u64)?;
        for group in body.get_locals_reader().map_err(invalid)? {
            let (count, _) = group.map_err(invalid)?;
            add(limits::LOCALS, &mut self.locals, count.into())?;
        }
        let mut jumps = 0;
        for operator in body.get_operators_reader().map_err(invalid)? {
            if let Operator::BrTable { targets } = operator.map_err(invalid)? {
                add(limits::JUMPS, &mut jumps, targets.len().into())?;
            }
        }
        Ok(())
    }
}
