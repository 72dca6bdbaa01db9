// Runs a Node.js function: asks the Lambda Runtime API for events, calls the handler, reports what it answered.
//
// Started by the server with the function's code directory as working directory.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const root = process.env.LAMBDA_TASK_ROOT;
const [host, ...prefix] = process.env.AWS_LAMBDA_RUNTIME_API.split("/");
const base = [...prefix.map((part) => `/${part}`), "/2018-06-01/runtime"].join("");
const colon = host.lastIndexOf(":");
const address = { host: host.slice(0, colon), port: Number(host.slice(colon + 1)) };
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function ask(method, where, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    const options = { ...address, agent, method, path: base + where, headers: { ...headers, ...length } };
    const request = http.request(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => resolve({ response, body: Buffer.concat(parts) }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

// The invocation that runs, for the lines of the console.
let current;

// As Lambda writes them: time, request, level, text. Line feeds within one message become carriage returns, so that it stays
// one line; the server turns them back.
function write(level, ...parts) {
  const text = format(...parts).replaceAll("\n", "\r");
  process.stdout.write(`${new Date().toISOString()}\t${current}\t${level}\t${text}\n`);
}

const levels = { trace: "TRACE", debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARN", error: "ERROR" };
for (const [name, level] of Object.entries(levels)) console[name] = (...parts) => write(level, ...parts);

function described(error) {
  if (error instanceof Error || (error && error.name && error.message && error.stack)) {
    const trace = String(error.stack ?? "").split("\n");
    return { errorType: error.name, errorMessage: error.message, trace };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function report(where, error, kind = "Invoke Error") {
  const failure = described(error);
  const { trace, ...rest } = failure;
  write("ERROR", "%s \t%s", kind, JSON.stringify({ ...rest, stack: trace }));
  const headers = { "Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": failure.errorType };
  return ask("POST", where, JSON.stringify(failure), headers);
}

function named(name, message) {
  const error = new Error(message);
  error.name = name;
  return error;
}

async function loadModule(file) {
  const require = createRequire(path.join(root, "index.js"));
  const full = path.resolve(root, file);
  for (const [ending, esm] of [["", false], [".js", false], [".mjs", true], [".cjs", false]]) {
    const candidate = full + ending;
    if (!fs.existsSync(candidate) || !fs.statSync(candidate).isFile()) continue;
    if (esm || candidate.endsWith(".mjs")) return import(pathToFileURL(candidate));
    try {
      return require(candidate);
    } catch (error) {
      if (error.code !== "ERR_REQUIRE_ESM" && error.code !== "ERR_REQUIRE_ASYNC_MODULE") throw error;
      return import(pathToFileURL(candidate));
    }
  }
  throw named("Runtime.ImportModuleError", `Error: Cannot find module '${file}'`);
}

async function loadHandler(text) {
  const slash = text.lastIndexOf("/") + 1;
  const dot = text.indexOf(".", slash);
  if (dot < 0) throw named("Runtime.MalformedHandlerName", "Bad handler");
  const [file, names] = [text.slice(0, dot), text.slice(dot + 1).split(".")];
  let module;
  try {
    module = await loadModule(file);
  } catch (error) {
    if (error instanceof SyntaxError) throw named("Runtime.UserCodeSyntaxError", String(error));
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      throw named("Runtime.ImportModuleError", String(error));
    }
    throw error;
  }
  const find = (from) => names.reduce((value, name) => value?.[name], from);
  const handler = find(module) ?? find(module?.default);
  if (handler === undefined) throw named("Runtime.HandlerNotFound", `${text} is undefined or not exported`);
  if (typeof handler !== "function") throw named("Runtime.HandlerNotFound", `${text} is not a function`);
  return handler;
}

function contextOf(headers, done) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const given = headers["lambda-runtime-client-context"];
  return {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: given ? JSON.parse(given) : undefined,
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
    done,
    succeed: (result) => done(null, result),
    fail: (error) => done(error ?? "handled"),
  };
}

// Settles with the handler's answer: by its promise, by the callback, or with nothing once nothing is left to wait for.
function run(handler, headers, event) {
  return new Promise((resolve, reject) => {
    const idle = () => resolve(undefined);
    process.once("beforeExit", idle);
    const settle = (then) => (value) => {
      process.removeListener("beforeExit", idle);
      then(value);
    };
    const [succeed, fail] = [settle(resolve), settle(reject)];
    const done = (error, result) => (error === null || error === undefined ? succeed(result) : fail(error));
    try {
      const result = handler(event, contextOf(headers, done), done);
      if (typeof result?.then === "function") result.then(succeed, fail);
    } catch (error) {
      fail(error);
    }
  });
}

async function main() {
  const crash = (kind) => async (error) => {
    const failure = error instanceof Error ? error : named(kind, String(error));
    const title = kind === "Runtime.UncaughtException" ? "Uncaught Exception" : "Unhandled Promise Rejection";
    try {
      await report(current === undefined ? "/init/error" : `/invocation/${current}/error`, failure, title);
    } finally {
      process.exit(kind === "Runtime.UnhandledPromiseRejection" ? 128 : 129);
    }
  };
  process.on("uncaughtException", crash("Runtime.UncaughtException"));
  process.on("unhandledRejection", crash("Runtime.UnhandledPromiseRejection"));
  let handler;
  try {
    handler = await loadHandler(process.env._HANDLER);
  } catch (error) {
    await report("/init/error", error);
    process.exit(1);
  }
  for (;;) {
    let next;
    try {
      next = await ask("GET", "/invocation/next");
    } catch {
      process.exit(0); // the server has gone
    }
    const headers = next.response.headers;
    current = headers["lambda-runtime-aws-request-id"];
    process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"] ?? "";
    let answer;
    try {
      const result = await run(handler, headers, JSON.parse(next.body.toString("utf8")));
      answer = JSON.stringify(result === undefined ? null : result) ?? "null";
    } catch (error) {
      await report(`/invocation/${current}/error`, error);
      continue;
    }
    await ask("POST", `/invocation/${current}/response`, answer, { "Content-Type": "application/json" });
  }
}

main();
