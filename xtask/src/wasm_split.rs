//! One wasm module made two: what is needed at once, and what is fetched beside it. Rust is compiled, and may inline, as if they were
//! one; the functions whose names begin with `later_` are where the second begins, and with them goes whatever only they call.
//!
//! The first module keeps memory, table and data, and exports them and those of its functions that the second calls. It calls into the
//! second through slots at the end of the table, which the second fills when it is instantiated; before that such a call traps. So
//! the second needs nothing but the exports of the first: no script stands between them. The table's name says which module both
//! are of: halves of two versions do not link.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use selvedge_core::hash::fnv1a_64;
use walrus::ir::{
    Call, CallIndirect, Const, Instr, InstrSeq, Value, Visitor, VisitorMut, dfs_in_order, dfs_pre_order_mut,
};
use walrus::{
    ConstExpr, ElementItems, ElementKind, ExportItem, FunctionId, FunctionKind, GlobalId, GlobalKind,
    ImportKind, ImportedFunction, MemoryId, Module, ModuleConfig, TableId,
};

/// How the names of functions begin with which the second module begins.
const LATER: &str = "later_";
/// What the second module imports from.
const FIRST: &str = "a";
/// Instructions of a function that stands in both modules where both call it.
const SMALL: u64 = 12;
const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The two modules.
pub struct Halves {
    /// What is needed at once.
    pub first: Vec<u8>,
    /// What is fetched beside it; empty where no function says that it is for later.
    pub second: Vec<u8>,
}

/// What stands where.
struct Cut {
    /// Functions of the second module.
    second: BTreeSet<FunctionId>,
    /// Those of them that the first calls, in the order of their slots.
    entries: Vec<FunctionId>,
    /// Functions of the first module that the second calls and has no copy of, and what they are exported as.
    shared: Vec<(FunctionId, String)>,
}

/// What both have: the first exports it, the second imports it.
struct Common {
    memory: MemoryId,
    table: TableId,
    global: GlobalId,
}

/// Splits a module that has names.
///
/// # Errors
/// When it is no module, or has more than a memory, a table and a global in common, or a function for later has its address taken.
pub fn split(module: &[u8]) -> Result<Halves> {
    let (mut first, mut second) = (parse(module)?, parse(module)?);
    let of_first = cut(&first)?;
    if of_first.entries.is_empty() {
        return Ok(Halves { first: module.to_vec(), second: Vec::new() });
    }
    // Each has ids of its own, in the same order.
    let of_second = cut(&second)?;
    let bond = format!("t{:08x}", fnv1a_64(module) as u32);
    keep_first(&mut first, &of_first, &bond)?;
    keep_second(&mut second, &of_second, &bond)?;
    Ok(Halves { first: first.emit_wasm(), second: second.emit_wasm() })
}

fn parse(module: &[u8]) -> Result<Module> {
    ModuleConfig::new().generate_producers_section(false).parse(module)
}

/// Whether a function says that it is for later. Names are as the compiler has them: paths, with or without a hash behind.
fn is_later(name: &str) -> bool {
    let mut parts = name.rsplit("::");
    let last = parts.next().unwrap_or_default();
    let is_hash = last.len() == 17 && last.starts_with('h');
    let last = if is_hash { parts.next().unwrap_or_default() } else { last };
    last.starts_with(LATER)
}

fn cut(module: &Module) -> Result<Cut> {
    let calls = calls(module);
    let named = module.funcs.iter().filter(|function| function.name.as_deref().is_some_and(is_later));
    let later: BTreeSet<FunctionId> = named.map(|function| function.id()).collect();
    let mut roots: Vec<FunctionId> = module.start.into_iter().collect();
    roots.extend(module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(function) => Some(function),
        _ => None,
    }));
    for element in module.elements.iter() {
        let ElementItems::Functions(functions) = &element.items else { bail!("a table of expressions") };
        ensure!(
            functions.iter().all(|function| !later.contains(function)),
            "a function for later has its address taken"
        );
        roots.extend(functions);
    }
    let first = reached(&calls, roots.clone(), &later);
    roots.extend(&later);
    let all = reached(&calls, roots, &BTreeSet::new());
    let second: BTreeSet<FunctionId> = all.difference(&first).copied().collect();
    let entries = callees(&calls, &first).into_iter().filter(|callee| second.contains(callee)).collect();
    // What is small stands in both: an export and an import of it take more.
    let is_small = |function: &FunctionId| match &module.funcs.get(*function).kind {
        FunctionKind::Local(local) => local.size() <= SMALL,
        _ => false,
    };
    let mut here = second.clone();
    let border = loop {
        let called: BTreeSet<_> = callees(&calls, &here).difference(&here).copied().collect();
        let small: Vec<_> = called.iter().copied().filter(is_small).collect();
        if small.is_empty() {
            break called;
        }
        here.extend(small);
    };
    let shared = border.into_iter().enumerate().map(|(at, function)| Ok((function, name(at)?)));
    Ok(Cut { entries, second, shared: shared.collect::<Result<_>>()? })
}

fn callees(calls: &Calls, callers: &BTreeSet<FunctionId>) -> BTreeSet<FunctionId> {
    callers.iter().filter_map(|caller| calls.get(caller)).flatten().copied().collect()
}

type Calls = BTreeMap<FunctionId, BTreeSet<FunctionId>>;

fn calls(module: &Module) -> Calls {
    struct Called(BTreeSet<FunctionId>);
    impl Visitor<'_> for Called {
        fn visit_function_id(&mut self, function: &FunctionId) {
            self.0.insert(*function);
        }
    }
    let functions = module.funcs.iter_local().map(|(id, function)| {
        let mut called = Called(BTreeSet::new());
        dfs_in_order(&mut called, function, function.entry_block());
        (id, called.0)
    });
    functions.collect()
}

/// What is reached from `roots` without going through `border`.
fn reached(calls: &Calls, mut roots: Vec<FunctionId>, border: &BTreeSet<FunctionId>) -> BTreeSet<FunctionId> {
    let mut found = BTreeSet::new();
    while let Some(function) = roots.pop() {
        if !border.contains(&function) && found.insert(function) {
            roots.extend(calls.get(&function).into_iter().flatten());
        }
    }
    found
}

/// Two letters each.
fn name(at: usize) -> Result<String> {
    let letter = |at: usize| {
        LETTERS.get(at).map(|letter| char::from(*letter)).context("more functions in common than names")
    };
    Ok([letter(at / LETTERS.len())?, letter(at % LETTERS.len())?].iter().collect())
}

fn common(module: &Module) -> Result<Common> {
    // What never changes may stand in both.
    let mut globals = module.globals.iter().filter(|global| global.mutable);
    let (Some(global), None) = (globals.next(), globals.next()) else { bail!("not one global that changes") };
    Ok(Common {
        memory: module.get_memory_id()?,
        table: module.tables.main_function_table()?.context("no table")?,
        global: global.id(),
    })
}

/// Where the slots of the second module begin in the table.
fn slots(module: &Module, table: TableId) -> Result<i32> {
    Ok(i32::try_from(module.tables.get(table).initial)?)
}

/// Puts the call of a slot in place of each call of a function that is not here.
struct Redirect<'c> {
    slots: BTreeMap<FunctionId, (i32, walrus::TypeId)>,
    table: TableId,
    cut: &'c Cut,
}

impl VisitorMut for Redirect<'_> {
    fn start_instr_seq_mut(&mut self, sequence: &mut InstrSeq) {
        let instructions = std::mem::take(&mut sequence.instrs);
        for (instruction, place) in instructions {
            let slot = match &instruction {
                Instr::Call(Call { func }) if self.cut.second.contains(func) => self.slots.get(func),
                _ => None,
            };
            match slot {
                Some((slot, ty)) => {
                    sequence.instrs.push((Const { value: Value::I32(*slot) }.into(), place));
                    sequence.instrs.push((CallIndirect { ty: *ty, table: self.table }.into(), place));
                }
                None => sequence.instrs.push((instruction, place)),
            }
        }
    }
}

fn keep_first(module: &mut Module, cut: &Cut, bond: &str) -> Result<()> {
    let Common { table, global, .. } = common(module)?;
    let begin = slots(module, table)?;
    let slots =
        (begin..).zip(&cut.entries).map(|(slot, entry)| (*entry, (slot, module.funcs.get(*entry).ty())));
    let mut redirect = Redirect { slots: slots.collect(), table, cut };
    for (id, function) in module.funcs.iter_local_mut().filter(|(id, _)| !cut.second.contains(id)) {
        let entry = function.entry_block();
        dfs_pre_order_mut(&mut redirect, function, entry);
        debug_assert!(!cut.second.contains(&id));
    }
    for (function, name) in &cut.shared {
        module.exports.add(name, *function);
    }
    module.exports.add(bond, table);
    module.exports.add("s", global);
    let table = module.tables.get_mut(table);
    table.initial += cut.entries.len() as u64;
    table.maximum = Some(table.initial);
    walrus::passes::gc::run(module);
    Ok(())
}

fn keep_second(module: &mut Module, cut: &Cut, bond: &str) -> Result<()> {
    let Common { memory, table, global } = common(module)?;
    let begin = slots(module, table)?;
    let exported = module.exports.iter().find(|export| matches!(export.item, ExportItem::Memory(_)));
    let memory_name = exported.context("the memory is not exported")?.name.clone();
    for export in module.exports.iter().map(walrus::Export::id).collect::<Vec<_>>() {
        module.exports.delete(export);
    }
    module.start = None;
    for data in module.data.iter().map(walrus::Data::id).collect::<Vec<_>>() {
        module.data.delete(data);
    }
    for element in module.elements.iter().map(walrus::Element::id).collect::<Vec<_>>() {
        module.elements.delete(element);
    }
    module.memories.get_mut(memory).data_segments.clear();
    module.memories.get_mut(memory).import = Some(module.imports.add(FIRST, &memory_name, memory));
    module.globals.get_mut(global).kind = GlobalKind::Import(module.imports.add(FIRST, "s", global));
    for (function, name) in &cut.shared {
        let import = module.imports.add(FIRST, name, *function);
        let before = match &module.funcs.get(*function).kind {
            FunctionKind::Import(before) => Some(before.import),
            _ => None,
        };
        before.into_iter().for_each(|before| module.imports.delete(before));
        let ty = module.funcs.get(*function).ty();
        module.funcs.get_mut(*function).kind = FunctionKind::Import(ImportedFunction { import, ty });
    }
    let offset = ConstExpr::Value(Value::I32(begin));
    let element = module
        .elements
        .add(ElementKind::Active { table, offset }, ElementItems::Functions(cut.entries.clone()));
    let import = module.imports.add(FIRST, bond, ImportKind::Table(table));
    let table = module.tables.get_mut(table);
    table.elem_segments.clear();
    table.elem_segments.insert(element);
    table.import = Some(import);
    table.initial += cut.entries.len() as u64;
    table.maximum = Some(table.initial);
    walrus::passes::gc::run(module);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use walrus::{FunctionBuilder, RefType, ValType};

    #[test]
    fn a_function_is_for_later_where_its_own_name_says_so() {
        assert!(is_later("<selvedge_client::client::Client>::later_reply"));
        assert!(is_later("selvedge_client::deciding::later_step::h0123456789abcdef"));
        assert!(!is_later("selvedge_client::later_things::step::h0123456789abcdef"));
        assert!(!is_later("selvedge_client::step"));
    }

    /// `run` calls `later_one` and `both`; that calls `both`, `tiny` and `alone`, which nobody else calls.
    fn module(version: i32) -> Vec<u8> {
        let mut module = Module::default();
        let memory = module.memories.add_local(false, false, 1, None, None);
        module.exports.add("memory", memory);
        module.globals.add_local(ValType::I32, true, false, ConstExpr::Value(Value::I32(version)));
        let table = module.tables.add_local(false, 1, Some(1), RefType::FUNCREF);
        let mut function = |name: &str, calls: &[FunctionId], length: u64| {
            let mut builder = FunctionBuilder::new(&mut module.types, &[], &[]);
            builder.name(name.to_string());
            let mut body = builder.func_body();
            for callee in calls {
                body.call(*callee);
            }
            for _ in 0..length {
                body.i32_const(version).drop();
            }
            builder.finish(Vec::new(), &mut module.funcs)
        };
        let (tiny, both, alone) =
            (function("tiny", &[], 1), function("both", &[], SMALL), function("alone", &[], 1));
        let later = function("crate::later_one", &[both, tiny, alone], 0);
        let run = function("run", &[later, both, tiny], 0);
        let offset = ConstExpr::Value(Value::I32(0));
        module.elements.add(ElementKind::Active { table, offset }, ElementItems::Functions(vec![both]));
        module.exports.add("run", run);
        module.emit_wasm()
    }

    fn names(module: &Module, is_import: bool) -> Vec<String> {
        let functions = module
            .funcs
            .iter()
            .filter(|function| matches!(function.kind, FunctionKind::Import(_)) == is_import);
        let mut names: Vec<_> = functions.filter_map(|function| function.name.clone()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_only_later_functions_call_goes_and_what_both_call_is_imported_unless_it_is_small() -> Result<()> {
        let Halves { first, second } = split(&module(7))?;
        let (first, second) = (parse(&first)?, parse(&second)?);
        assert_eq!(names(&first, false), ["both", "run", "tiny"]);
        assert_eq!(names(&second, false), ["alone", "crate::later_one", "tiny"]);
        assert_eq!(names(&second, true), ["both"]);
        for import in second.imports.iter() {
            let found = first.exports.iter().find(|export| export.name == import.name);
            assert!(found.is_some(), "{} is not exported", import.name);
            assert_eq!(import.module, FIRST);
        }
        let table = first.tables.main_function_table()?.context("no table")?;
        assert_eq!(first.tables.get(table).initial, 2);
        // The function and the table: nothing of these uses memory or global.
        assert_eq!(second.imports.iter().count(), 2);
        Ok(())
    }

    #[test]
    fn halves_of_two_versions_do_not_link() -> Result<()> {
        let (one, other) = (parse(&split(&module(1))?.first)?, parse(&split(&module(2))?.second)?);
        let missing =
            other.imports.iter().filter(|import| one.exports.iter().all(|export| export.name != import.name));
        assert_eq!(missing.count(), 1);
        Ok(())
    }

    #[test]
    fn a_module_where_nothing_is_for_later_stays_as_it_is() -> Result<()> {
        let mut plain = Module::default();
        let plain = plain.emit_wasm();
        let Halves { first, second } = split(&plain)?;
        assert_eq!((first, second.len()), (plain, 0));
        Ok(())
    }
}
