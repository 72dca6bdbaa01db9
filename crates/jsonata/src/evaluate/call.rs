//! Calling functions: arguments against signatures, tail calls, partial application, and chaining.

use std::rc::Rc;

use super::{Env, Evaluator, Frame, Function};
use crate::fault::{Fault, Result};
use crate::program::{Call, Expr, Lambda, Op};
use crate::regex::Regex;
use crate::syntax::{Action, Signature};
use crate::value::{FunctionRef, List, Map, Text, Val, to_message};

impl<'a> Evaluator<'a> {
    /// `f(...)`; `applied` is what `~>` puts in front of the arguments.
    pub(super) fn call(
        &mut self,
        call: &'a Call,
        applied: Option<Val<'a>>,
        input: &Val<'a>,
        env: &Env<'a>,
    ) -> Result<Val<'a>> {
        let procedure = self.evaluate(&call.procedure, input, env)?;
        self.check_bare(call, &procedure, "T1005", env)?;
        let mut arguments = Vec::with_capacity(call.arguments.len() + usize::from(applied.is_some()));
        arguments.extend(applied);
        for argument in &call.arguments {
            arguments.push(hand_over(self.evaluate(argument, input, env)?));
        }
        let (result, direct) = match &procedure {
            Val::Function(function) => {
                if function.function.is_eval() {
                    self.site = Some((input.clone(), env.clone()));
                }
                (self.apply(function, arguments, input), !function.handed_over)
            }
            _ => (Err(Fault::new("T1006")), false),
        };
        result.map_err(|fault| locate(fault, call, direct))
    }

    /// Somebody wrote `sum(...)` and meant `$sum(...)`.
    fn check_bare(
        &self,
        call: &'a Call,
        procedure: &Val<'a>,
        code: &'static str,
        env: &Env<'a>,
    ) -> Result<()> {
        match (procedure, call.bare, &call.name) {
            (Val::Undefined, Some(bare), Some(name)) if !self.variable(bare, env).is_undefined() => {
                Err(Fault::new(code).at(call.position).token(name))
            }
            _ => Ok(()),
        }
    }

    /// Calls `function`, and whatever it calls in tail position.
    pub(crate) fn apply(
        &mut self,
        function: &FunctionRef<'a>,
        arguments: Vec<Val<'a>>,
        input: &Val<'a>,
    ) -> Result<Val<'a>> {
        let context = if function.handed_over { &Val::Null } else { input };
        let result = self.apply_once(&function.function, arguments, context)?;
        self.trampoline(result, input)
    }

    /// Makes the calls in tail position until there is a value.
    fn trampoline(&mut self, mut result: Val<'a>, context: &Val<'a>) -> Result<Val<'a>> {
        loop {
            let tail = match &result {
                Val::Function(function) => function.function.clone(),
                _ => return Ok(result),
            };
            let Function::TailCall { call, env, input } = &*tail else { return Ok(result) };
            let procedure = self.evaluate(&call.procedure, input, env)?;
            let mut arguments = Vec::with_capacity(call.arguments.len());
            for argument in &call.arguments {
                arguments.push(self.evaluate(argument, input, env)?);
            }
            let Val::Function(function) = &procedure else {
                return Err(locate(Fault::new("T1006"), call, false));
            };
            if function.function.is_eval() {
                self.site = Some((input.clone(), env.clone()));
            }
            let context = if function.handed_over { &Val::Null } else { context };
            result = self
                .apply_once(&function.function, arguments, context)
                .map_err(|fault| locate(fault, call, !function.handed_over))?;
        }
    }

    fn apply_once(
        &mut self,
        function: &Rc<Function<'a>>,
        arguments: Vec<Val<'a>>,
        context: &Val<'a>,
    ) -> Result<Val<'a>> {
        match &**function {
            Function::Builtin(builtin) => {
                let arguments = self.fit(builtin.signature(), arguments, context)?;
                (builtin.run)(self, &arguments)
            }
            Function::Lambda { lambda, unbound, env, input } => {
                let (parameters, arguments) = match (unbound, &lambda.signature) {
                    (Some(unbound), _) => (unbound, arguments),
                    (None, None) => (&lambda.parameters, arguments),
                    (None, Some(signature)) => (&lambda.parameters, self.fit(signature, arguments, context)?),
                };
                let mut values = arguments.into_iter();
                let variables =
                    parameters.iter().map(|name| (*name, values.next().unwrap_or_default())).collect();
                let frame = Some(Frame::with(env.clone(), variables)?);
                self.evaluate(&lambda.body, input, &frame)
            }
            Function::PartialBuiltin { builtin, arguments: given } => {
                let mut rest = arguments.into_iter();
                let all: Vec<Val<'a>> = given
                    .iter()
                    .map(|given| given.clone().unwrap_or_else(|| rest.next().unwrap_or_default()))
                    .collect();
                (builtin.run)(self, &all)
            }
            Function::Regex(regex) => self.call_regex(regex, &arguments),
            Function::NextMatch { regex, text, start } => self.next_match(regex, text, *start),
            Function::Transform { transform, env } => {
                let subject = arguments.into_iter().next().unwrap_or_default();
                self.transform(transform, subject, env)
            }
            Function::Chain(first, second) => {
                let value = self.apply(first, arguments, &Val::Null)?;
                self.apply(second, vec![hand_over(value)], &Val::Null)
            }
            Function::TailCall { .. } => Ok(Val::Undefined),
        }
    }

    /// The arguments as `signature` wants them.
    fn fit(
        &mut self,
        signature: &Signature,
        arguments: Vec<Val<'a>>,
        context: &Val<'a>,
    ) -> Result<Vec<Val<'a>>> {
        if signature.fits_plainly(arguments.iter().map(Val::symbol)) {
            return Ok(arguments);
        }
        let symbols: Vec<_> = arguments.iter().map(Val::symbol).collect();
        let actions = signature.fit(&symbols, context.symbol())?;
        let mut fitted = Vec::with_capacity(actions.len());
        let mut rest = arguments.into_iter();
        let mut used = 0;
        for action in actions {
            used += usize::from(!matches!(action, Action::Context | Action::RefuseContext));
            match action {
                Action::Take | Action::Skip => fitted.push(rest.next().unwrap_or_default()),
                Action::Nothing => {
                    rest.next();
                    fitted.push(Val::Undefined);
                }
                Action::Wrap => {
                    let value = rest.next().unwrap_or_default();
                    fitted.push(Val::List(List::new(vec![value], 0, self.meter)?));
                }
                Action::Check(parameter) => {
                    let value = rest.next().unwrap_or_default();
                    self.check_items(signature, parameter, &value, used)?;
                    fitted.push(value);
                }
                Action::Refuse(parameter) => return Err(wrong_items(signature, parameter, used)),
                Action::Context => fitted.push(context.clone()),
                Action::RefuseContext => return Err(Fault::new("T0411").index(used + 1)),
            }
        }
        Ok(fitted)
    }

    fn check_items(
        &self,
        signature: &Signature,
        parameter: usize,
        value: &Val<'a>,
        index: usize,
    ) -> Result<()> {
        let (Some(items), Some(wanted)) = (value.items(), signature.item_symbol(parameter)) else {
            return Ok(());
        };
        self.meter.spend(items.len() as u64 / 8)?;
        if items.all(|item| item.symbol() == wanted) {
            return Ok(());
        }
        Err(wrong_items(signature, parameter, index))
    }

    pub(super) fn lambda(&mut self, lambda: &'a Lambda, input: &Val<'a>, env: &Env<'a>) -> Result<Val<'a>> {
        self.capture(env);
        Ok(Val::function(Function::Lambda { lambda, unbound: None, env: env.clone(), input: input.clone() }))
    }

    /// `f(?, 1)`.
    pub(super) fn partial(&mut self, call: &'a Call, input: &Val<'a>, env: &Env<'a>) -> Result<Val<'a>> {
        let mut given = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            given.push(match argument.op {
                Op::Placeholder => None,
                _ => Some(self.evaluate(argument, input, env)?),
            });
        }
        let procedure = self.evaluate(&call.procedure, input, env)?;
        self.check_bare(call, &procedure, "T1007", env)?;
        let refused = || match &call.name {
            Some(name) => Fault::new("T1008").at(call.position).token(name),
            None => Fault::new("T1008").at(call.position),
        };
        let Val::Function(function) = procedure else { return Err(refused()) };
        if function.handed_over {
            // jsonata-js reads the parameters of a wrapped function from its source text, and fails.
            return Err(Fault::new("S0202").at(10).token("..").value("\")\"".to_owned()));
        }
        match &*function.function {
            Function::Builtin(builtin) => {
                builtin.check_partial()?;
                given.resize(builtin.parameters, Some(Val::Undefined));
                Ok(Val::function(Function::PartialBuiltin { builtin, arguments: given }))
            }
            Function::PartialBuiltin { builtin, arguments } => {
                let mut given = given.into_iter();
                let filled = arguments.iter().map(|argument| match argument {
                    Some(value) => Some(value.clone()),
                    None => given.next().unwrap_or(Some(Val::Undefined)),
                });
                Ok(Val::function(Function::PartialBuiltin { builtin, arguments: filled.collect() }))
            }
            Function::Lambda { lambda, unbound, env, input } => {
                let parameters = unbound.as_ref().unwrap_or(&lambda.parameters);
                let mut given = given.into_iter();
                let (mut rest, mut bound) = (Vec::new(), Vec::new());
                for name in parameters {
                    match given.next() {
                        Some(None) => rest.push(*name),
                        Some(Some(value)) => bound.push((*name, value)),
                        None => bound.push((*name, Val::Undefined)),
                    }
                }
                let env = Some(Frame::with(env.clone(), bound)?);
                Ok(Val::function(Function::Lambda { lambda, unbound: Some(rest), env, input: input.clone() }))
            }
            _ => Err(refused()),
        }
    }

    /// `a ~> f`: a call with `a` in front, the value of a function, or two functions in one.
    pub(super) fn apply_operator(
        &mut self,
        sides: &'a (Expr, Expr),
        position: usize,
        input: &Val<'a>,
        env: &Env<'a>,
    ) -> Result<Val<'a>> {
        let left = self.evaluate(&sides.0, input, env)?;
        if let Op::Call(call) = &sides.1.op {
            return self.call(call, Some(left), input, env);
        }
        let right = self.evaluate(&sides.1, input, env)?;
        let Val::Function(function) = right else {
            return Err(Fault::new("T2006").at(position).value(to_message(&right)));
        };
        match left {
            Val::Function(first) => Ok(Val::function(Function::Chain(first, function))),
            value => self.apply(&function, vec![value], &Val::Null),
        }
    }

    fn call_regex(&mut self, regex: &'a Regex, arguments: &[Val<'a>]) -> Result<Val<'a>> {
        let subject = arguments.first().cloned().unwrap_or_default();
        let Val::Text(text) = crate::functions::coerce(self, &subject)? else { return Ok(Val::Undefined) };
        let from = arguments.get(1).and_then(Val::as_f64).unwrap_or(0.0).max(0.0) as usize;
        match crate::functions::byte_of_unit(text.as_str(), from) {
            Some(start) => self.match_object(regex, &text, start),
            None => Ok(Val::Undefined),
        }
    }

    fn next_match(&mut self, regex: &'a Regex, text: &Text<'a>, start: usize) -> Result<Val<'a>> {
        if start >= text.as_str().len() {
            return Ok(Val::Undefined);
        }
        if let Some(captures) = regex.find_at(text.as_str(), start, self.meter)?
            && let Some(Some((from, to))) = captures.first()
            && from == to
        {
            return Err(Fault::new("D1004").value(crate::fault::json_string(regex.source())));
        }
        self.match_object(regex, text, start)
    }

    /// What a regular expression returns as a function.
    fn match_object(&mut self, regex: &'a Regex, text: &Text<'a>, start: usize) -> Result<Val<'a>> {
        let Some(captures) = regex.find_at(text.as_str(), start, self.meter)? else {
            return Ok(Val::Undefined);
        };
        let Some(Some((from, to))) = captures.first().copied() else { return Ok(Val::Undefined) };
        let map = Map::new(self.meter)?;
        let whole = text.as_str().get(from..to).unwrap_or_default();
        map.insert(Text::Static("match"), Val::Text(Text::copy(whole, self.meter)?))?;
        let units = crate::functions::unit_of_byte(text.as_str(), from);
        let length = crate::functions::unit_of_byte(whole, whole.len());
        map.insert(Text::Static("start"), Val::Int(units as i64))?;
        map.insert(Text::Static("end"), Val::Int((units + length) as i64))?;
        let groups = crate::functions::capture_groups(self, text.as_str(), &captures)?;
        map.insert(Text::Static("groups"), groups)?;
        let next = Function::NextMatch { regex, text: text.clone(), start: to };
        map.insert(Text::Static("next"), Val::function(next))?;
        Ok(Val::Map(Rc::new(map)))
    }
}

/// A function that is called again and again, its scope reused where nobody holds it.
pub(crate) struct Callback<'a> {
    function: FunctionRef<'a>,
    arity: usize,
    frame: Option<Rc<Frame<'a>>>,
}

impl<'a> Callback<'a> {
    /// `None` when `value` is no function.
    pub(crate) fn new(value: &Val<'a>) -> Option<Callback<'a>> {
        let Val::Function(function) = value else { return None };
        Some(Callback { function: function.clone(), arity: function.function.arity(), frame: None })
    }

    pub(crate) fn arity(&self) -> usize {
        self.arity
    }

    /// Calls the function with as many of `arguments` as it takes, at least one.
    pub(crate) fn call<const N: usize>(
        &mut self,
        evaluator: &mut Evaluator<'a>,
        arguments: [Val<'a>; N],
    ) -> Result<Val<'a>> {
        let count = self.arity.clamp(1, N);
        self.call_with(evaluator, arguments, count)
    }

    /// Calls the function with all of `arguments`.
    pub(crate) fn call_all<const N: usize>(
        &mut self,
        evaluator: &mut Evaluator<'a>,
        arguments: [Val<'a>; N],
    ) -> Result<Val<'a>> {
        self.call_with(evaluator, arguments, N)
    }

    fn call_with<const N: usize>(
        &mut self,
        evaluator: &mut Evaluator<'a>,
        arguments: [Val<'a>; N],
        count: usize,
    ) -> Result<Val<'a>> {
        evaluator.meter.spend(1)?;
        if let Function::Lambda { lambda, unbound: None, env, input } = &*self.function.function
            && lambda.signature.is_none()
        {
            let mut values = arguments.into_iter().take(count);
            let variables = lambda.parameters.iter().map(|name| (*name, values.next().unwrap_or_default()));
            let free =
                self.frame.take().filter(|frame| Rc::strong_count(frame) == 1 && !frame.captured.get());
            let frame = match free {
                Some(frame) => {
                    frame.refill(variables)?;
                    frame
                }
                None => Frame::with(env.clone(), variables.collect())?,
            };
            let scope = Some(frame);
            let result = evaluator.evaluate(&lambda.body, input, &scope)?;
            self.frame = scope;
            return evaluator.trampoline(result, &Val::Null);
        }
        if let (false, Function::Builtin(_)) = (self.function.handed_over, &*self.function.function) {
            return Err(Fault::host("func.apply is not a function"));
        }
        evaluator.apply(&self.function, arguments.into_iter().take(count).collect(), &Val::Null)
    }
}

/// A function among the arguments of a call loses the context.
fn hand_over(value: Val<'_>) -> Val<'_> {
    match value {
        Val::Function(FunctionRef { function, .. }) => {
            Val::Function(FunctionRef { function, handed_over: true })
        }
        other => other,
    }
}

/// Adds function name and position to an error from a call. The outermost call of a named function has the last word on
/// the position, as in jsonata-js.
fn locate(mut fault: Box<Fault>, call: &Call, direct: bool) -> Box<Fault> {
    if fault.limit {
        return fault;
    }
    if (direct && call.position > 0) || fault.position.is_none() {
        fault.position = Some(call.position);
    }
    match &call.name {
        Some(name) => fault.token(name),
        None => fault,
    }
}

fn wrong_items(signature: &Signature, parameter: usize, index: usize) -> Box<Fault> {
    let fault = Fault::new("T0412").index(index);
    match signature.item_name(parameter) {
        Some(name) => fault.name(name),
        None => fault,
    }
}
