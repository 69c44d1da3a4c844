//! JSON Schema of a site's files, made from the compiler's own description of them.

use selvedge_compiler::schema::{FILES, Form, Key};
use serde_json::{Map, Value, json};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The names of the files there are schemas of.
#[must_use]
pub fn names() -> Vec<&'static str> {
    FILES.iter().map(|(name, _)| *name).collect()
}

/// The schema of a file: `site`, `tracking-plan`, `rules`, `content` or `tests`.
#[must_use]
pub fn of_file(name: &str) -> Option<Value> {
    let (name, form) = FILES.iter().find(|(known, _)| *known == name)?;
    let Value::Object(schema) = schema(form) else { return None };
    let file = if *name == "tests" { "tests/*.yaml".to_owned() } else { format!("{name}.yaml") };
    let mut out = Map::new();
    out.insert("$schema".to_owned(), json!(DIALECT));
    out.insert("title".to_owned(), json!(format!("Selvedge: {file}")));
    out.extend(schema);
    Some(Value::Object(out))
}

fn schema(form: &Form) -> Value {
    match form {
        // What is not quoted in YAML may look like a number, or yes or no, and is text all the same.
        Form::Text => json!({"type": ["string", "number", "boolean"]}),
        Form::Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
        Form::Whole(low, high) => json!({"type": "integer", "minimum": low, "maximum": high}),
        Form::Number => json!({"type": "number"}),
        Form::Flag => json!({"type": "boolean"}),
        Form::Word(words) => json!({"enum": words}),
        Form::Either(forms) => json!({"anyOf": forms.iter().map(schema).collect::<Vec<_>>()}),
        Form::List(item) => json!({"type": "array", "items": schema(item)}),
        Form::Items(item) => {
            json!({"anyOf": [schema(item), {"type": "array", "items": schema(item)}]})
        }
        // An empty value is an empty mapping.
        Form::Map(value) => json!({"type": ["object", "null"], "additionalProperties": schema(value)}),
        Form::Object(keys) => object(keys, json!(false)),
        Form::ObjectWith(keys, one_of) => {
            let mut found = object(keys, json!(false));
            found["anyOf"] = one_of.iter().map(|key| json!({"required": [key]})).collect();
            found
        }
        Form::Open(keys, others) => object(keys, schema(others)),
        Form::Any => json!({}),
    }
}

fn object(keys: &[Key], others: Value) -> Value {
    let property = |key: &Key| {
        let mut found = schema(&key.form);
        if let Value::Object(found) = &mut found {
            found.insert("description".to_owned(), json!(key.doc));
        }
        if !key.is_required {
            // A key that is empty is as if it were not there.
            found = json!({"anyOf": [found, {"type": "null"}], "description": key.doc});
        }
        (key.name.to_owned(), found)
    };
    let properties: Map<String, Value> = keys.iter().map(property).collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
    let kinds = if required.is_empty() { json!(["object", "null"]) } else { json!("object") };
    json!({
        "type": kinds,
        "properties": properties,
        "required": required,
        "additionalProperties": others,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site_files;
    use crate::testing::new_site;
    use selvedge_compiler::{Code, Severity, compile, keys_read};
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    type Files = BTreeMap<String, String>;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// Every site of the repository that compiles, and the site that docs/rules.md makes.
    fn sites() -> Vec<Files> {
        let examples = std::fs::read_dir(root().join("examples")).unwrap();
        let folders = examples.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        let mut sites: Vec<Files> = folders.map(|folder| site_files::read(&folder).unwrap()).collect();
        sites.push(new_site());
        sites.push(documented());
        sites.extend(consents());
        sites.push(site_files::read(&root().join("tests/fixtures/identity")).unwrap());
        sites
    }

    /// A new site with each way of consent that docs/consent.md shows.
    fn consents() -> Vec<Files> {
        let page = std::fs::read_to_string(root().join("docs/consent.md")).unwrap();
        let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("```"));
        let site = |(block, _): (&str, &str)| {
            let mut files = new_site();
            let (before, after) = files["site.yaml"].split_once("\nconsent:\n").unwrap();
            let rest: Vec<&str> = after.lines().skip_while(|line| line.starts_with(' ')).collect();
            files.insert("site.yaml".to_owned(), format!("{before}\n{block}\n{}\n", rest.join("\n")));
            files
        };
        blocks.map(site).collect()
    }

    fn documented() -> Files {
        let page = std::fs::read_to_string(root().join("docs/rules.md")).unwrap();
        let mut files = Files::new();
        for block in page.split("\n```").skip(1).step_by(2) {
            if let Some((head, text)) = block.split_once('\n')
                && let Some(name) = head.strip_prefix("yaml ")
            {
                let file = files.entry(name.to_owned()).or_default();
                file.push_str(text);
                file.push('\n');
            }
        }
        files
    }

    /// The schema that a file of a site is held to.
    fn kind(name: &str) -> Option<&str> {
        if name.starts_with("tests/") {
            return Some("tests");
        }
        name.strip_suffix(".yaml").filter(|kind| names().contains(kind))
    }

    /// Why the schema refuses the file; empty where it does not.
    fn refusals(kind: &str, yaml: &str) -> Vec<String> {
        let Ok(instance) = serde_saphyr::from_str::<Value>(yaml) else { return vec!["no YAML".to_owned()] };
        let schema = of_file(kind).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        validator.iter_errors(&instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    #[test]
    fn every_schema_is_one() {
        for name in names() {
            assert!(jsonschema::meta::is_valid(&of_file(name).unwrap()), "{name}");
        }
        assert_eq!(of_file("rule"), None);
    }

    #[test]
    fn every_site_of_the_repository_keeps_to_the_schema() {
        for site in sites() {
            for (name, text) in &site {
                if let Some(kind) = kind(name) {
                    assert_eq!(refusals(kind, text), Vec::<String>::new(), "{name}");
                }
            }
        }
    }

    /// Codes of what a schema can see: keys, forms, words.
    const SEEN: [&str; 5] = ["E0005", "E0006", "E0007", "E0015", "E0018"];

    #[test]
    fn broken_files_are_refused_by_the_schema_too() {
        for code in SEEN {
            let example = code.parse::<Code>().unwrap().example();
            let (name, text) = example.split_once('\n').unwrap();
            let kind = kind(name.trim_start_matches("# ")).unwrap();
            assert_ne!(refusals(kind, text), Vec::<String>::new(), "{code}");
        }
    }

    #[test]
    fn json_is_accepted_wherever_yaml_is() {
        let mut files = new_site();
        for (name, text) in &mut files {
            let value: Value = serde_saphyr::from_str(text).unwrap();
            *text = serde_json::to_string_pretty(&value).unwrap();
            assert_eq!(refusals(kind(name).unwrap(), text), Vec::<String>::new(), "{name}");
        }
        let compilation = compile(&files);
        let errors = compilation.diagnostics.iter().filter(|found| found.severity == Severity::Error);
        assert_eq!(errors.count(), 0, "{:?}", compilation.diagnostics);
        assert_eq!(
            compilation.program.unwrap().public_bytes,
            compile(&new_site()).program.unwrap().public_bytes
        );
    }

    /// The key sets of all mappings that a form describes.
    fn key_sets(form: &Form, sets: &mut Vec<BTreeSet<&'static str>>) {
        match form {
            Form::Object(keys) | Form::ObjectWith(keys, _) | Form::Open(keys, _) => {
                sets.push(keys.iter().map(|key| key.name).collect());
                keys.iter().for_each(|key| key_sets(&key.form, sets));
            }
            Form::Either(forms) => forms.iter().for_each(|form| key_sets(form, sets)),
            Form::List(inner) | Form::Items(inner) | Form::Map(inner) => key_sets(inner, sets),
            _ => {}
        }
    }

    /// What the compiler asks for, over every site and every example of a diagnostic.
    fn asked() -> BTreeSet<Vec<&'static str>> {
        let examples = Code::ALL.iter().map(|code| {
            let (name, text) = code.example().split_once('\n').unwrap();
            let mut files = new_site();
            files.insert(name.trim_start_matches("# ").to_owned(), text.to_owned());
            files
        });
        sites().into_iter().chain(examples).flat_map(|site| keys_read(&site)).collect()
    }

    #[test]
    fn the_schema_knows_every_key_that_the_compiler_reads_and_no_other() {
        let mut described = Vec::new();
        FILES.iter().for_each(|(_, form)| key_sets(form, &mut described));
        let asked = asked();
        for keys in &asked {
            let is_described = described.iter().any(|set| keys.iter().all(|key| set.contains(key)));
            assert!(
                is_described,
                "the compiler reads a mapping of {keys:?}, of which the schema knows nothing"
            );
        }
        // The keys of an expectation are read one by one: most of them are slots.
        let expectation = BTreeSet::from(["at", "why", "reasons", "emit"]);
        for set in described.iter().filter(|set| **set != expectation) {
            // What a wording of another language may hold is what the content itself may.
            let around = described.iter().filter(|around| around.is_superset(set));
            let is_in = |keys: &&Vec<&'static str>, around: &BTreeSet<&'static str>| {
                keys.iter().all(|key| around.contains(key))
            };
            let read =
                around.flat_map(|around| asked.iter().filter(move |keys| is_in(keys, around))).flatten();
            let read: BTreeSet<&str> = read.copied().filter(|key| set.contains(key)).collect();
            assert_eq!(*set, read, "the schema describes keys that the compiler never reads");
        }
    }
}
