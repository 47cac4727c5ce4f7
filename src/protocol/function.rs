//! Calls provider functions.

use std::collections::HashMap;

use super::{
    call::{self, Ended},
    convert,
    wire::tfplugin6 as wire,
};
use crate::framework::{Function, FunctionError, Provider, validate, value::Value};

/// Returns the signatures of all functions, by name.
pub(super) fn all(provider: &dyn Provider) -> HashMap<String, wire::Function> {
    let functions = provider.functions().iter();
    functions.map(|function| (function.name().to_owned(), convert::function(function.signature()))).collect()
}

/// Calls a function. Returns its result or its error.
pub(super) fn call(provider: &dyn Provider, request: wire::call_function::Request) -> wire::call_function::Response {
    let wire::call_function::Request { name, arguments } = request;
    match find(provider, &name).and_then(|function| Ok((function, result(function, arguments)?))) {
        Ok((function, value)) => {
            let result = convert::encode_one(&value, &function.signature().returns);
            wire::call_function::Response { result: Some(result), error: None }
        }
        Err(fault) => failed(fault),
    }
}

/// Builds the response to a call, however it ended.
pub(super) fn answer(ended: Ended<wire::call_function::Response>) -> wire::call_function::Response {
    let (made, errors) = ended.into_parts();
    let crash = || errors.into_iter().next().unwrap_or_else(|| call::crash("Nothing was changed."));
    made.unwrap_or_else(|| failed(FunctionError::new(crash().detail)))
}

/// Computes the result. Core itself handles null and unknown arguments; if they are sent anyway, they are handled as
/// core would.
fn result(function: &dyn Function, arguments: Vec<wire::DynamicValue>) -> Result<Value, FunctionError> {
    let signature = function.signature();
    let (wanted, given) = (signature.parameters.len(), arguments.len());
    if given < wanted || (given > wanted && signature.variadic.is_none()) {
        let at_least = if signature.variadic.is_some() { "at least " } else { "" };
        let plural = if wanted == 1 { "" } else { "s" };
        return Err(FunctionError::new(format!(
            "The function needs {at_least}{wanted} argument{plural} but was called with {given}."
        )));
    }
    let mut values = Vec::with_capacity(given);
    // Every argument after the fixed ones belongs to the variadic parameter.
    let parameters = signature.parameters.iter().chain(signature.variadic.iter().cycle());
    for (index, (argument, parameter)) in arguments.into_iter().zip(parameters).enumerate() {
        let value = convert::decode_one(&argument, parameter).map_err(|malformed| malformed.fault);
        let value = value.map_err(|fault| FunctionError::of(index, fault))?;
        validate::argument(parameter, &value).map_err(|words| FunctionError::of(index, words))?;
        values.push(value);
    }
    // The result of an unknown argument is unknown, as if core itself had decided it.
    if values.iter().all(Value::is_wholly_known) { function.call(&values) } else { Ok(Value::Unknown) }
}

fn find<'p>(provider: &'p dyn Provider, name: &str) -> Result<&'p dyn Function, FunctionError> {
    let function = provider.functions().iter().find(|function| function.name() == name);
    let unknown = || FunctionError::new(format!("This version of the provider has no function {name:?}."));
    function.map(|function| &**function).ok_or_else(unknown)
}

fn failed(fault: FunctionError) -> wire::call_function::Response {
    let function_argument = fault.argument.and_then(|argument| i64::try_from(argument).ok());
    let error = wire::FunctionError { text: fault.text.into_owned(), function_argument };
    wire::call_function::Response { result: None, error: Some(error) }
}
