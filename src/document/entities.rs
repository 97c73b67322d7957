//! Entities that ship with a module, as tables.

use serde_json::{Map, Value};

use crate::document::markdown::{self, code};

/// A table for each type of entity: the ids, and a column for each attribute. Nothing where it is no list of entities.
pub fn tables(document: &str) -> Option<String> {
    let entities: Vec<Map<String, Value>> = serde_json::from_str(document).ok()?;
    let text = |entity: &Map<String, Value>, member: &str| Some(entity.get(member)?.as_str()?.to_owned());
    let mut types: Vec<String> = Vec::new();
    for ty in entities.iter().filter_map(|entity| text(entity, "type")) {
        if !types.contains(&ty) {
            types.push(ty);
        }
    }
    let tables = types.iter().map(|ty| {
        let all: Vec<_> = entities.iter().filter(|entity| text(entity, "type").as_ref() == Some(ty)).collect();
        let mut attributes: Vec<&str> = Vec::new();
        for name in all.iter().filter_map(|entity| entity.get("properties")?.as_object()).flat_map(Map::keys) {
            if !attributes.contains(&name.as_str()) {
                attributes.push(name);
            }
        }
        let rows: Vec<Vec<String>> = all
            .iter()
            .map(|entity| {
                let value = |name: &&str| shown(entity.get("properties").and_then(|all| all.get(*name)));
                let id = code(&text(entity, "id").unwrap_or_default());
                std::iter::once(id).chain(attributes.iter().map(value)).collect()
            })
            .collect();
        let head: Vec<&str> = std::iter::once(ty.as_str()).chain(attributes.iter().copied()).collect();
        markdown::table(&head, &rows)
    });
    Some(tables.collect::<Vec<_>>().join("\n"))
}

/// A value: a text as it is, anything else as JSON.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => markdown::escaped(text),
        Some(other) => code(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_type_has_a_table() {
        let document = r#"[
            { "type": "Team", "id": "a" },
            { "type": "Agent", "id": "x|y", "properties": { "name": "One", "level": 3 } },
            { "type": "Agent", "id": "z", "properties": { "level": 4, "on": true } } ]"#;
        let expected = "| Team |\n| --- |\n| `a` |\n\n| Agent | name | level | on |\n| --- | --- | --- | --- |\n\
                        | `x\\|y` | One | `3` | |\n| `z` | | `4` | `true` |\n";
        assert_eq!(super::tables(document).as_deref(), Some(expected));
        assert_eq!(super::tables("{}"), None);
    }
}
