//! What core marks as sensitive in the JSON of a saved plan, and writes there all the same.

use serde_json::Value;

/// The pairs of a value and of the marks on its parts.
const MARKED: [(&str, &str); 3] =
    [("after", "after_sensitive"), ("before", "before_sensitive"), ("values", "sensitive_values")];

/// A plan without what is marked. The configuration, and the variables next to it, are what a user wrote.
pub(super) fn removed(plan: &Value) -> Value {
    let mut plan = plan.clone();
    if let Value::Object(parts) = &mut plan {
        parts.remove("configuration");
        parts.remove("variables");
    }
    mark_planned(&mut plan);
    visit(&mut plan);
    plan
}

/// Marks the planned values as the changes are: OpenTofu 1.6 marks a value that stays as it was only there.
fn mark_planned(plan: &mut Value) {
    let changes = plan["resource_changes"].as_array().cloned().unwrap_or_default();
    let planned = plan.pointer_mut("/planned_values/root_module/resources").and_then(Value::as_array_mut);
    for resource in planned.into_iter().flatten() {
        if let Some(change) = changes.iter().find(|change| change["address"] == resource["address"]) {
            resource["sensitive_values"] = change["change"]["after_sensitive"].clone();
        }
    }
}

fn visit(value: &mut Value) {
    match value {
        Value::Object(parts) => {
            for (name, marks) in MARKED {
                if let Some(marks) = parts.get(marks).cloned()
                    && let Some(value) = parts.get_mut(name)
                {
                    remove(value, &marks);
                }
            }
            if parts.get("sensitive") == Some(&Value::Bool(true)) {
                parts.remove("value");
            }
            parts.values_mut().for_each(visit);
        }
        Value::Array(items) => items.iter_mut().for_each(visit),
        _ => (),
    }
}

fn remove(value: &mut Value, marks: &Value) {
    match (value, marks) {
        (value, Value::Bool(true)) => *value = Value::Null,
        (Value::Object(parts), Value::Object(marks)) => {
            for (name, marks) in marks {
                if let Some(part) = parts.get_mut(name) {
                    remove(part, marks);
                }
            }
        }
        (Value::Array(items), Value::Array(marks)) => {
            items.iter_mut().zip(marks).for_each(|(item, marks)| remove(item, marks));
        }
        _ => (),
    }
}
