// Writes `lib/contract.js` and `lib/contract.d.ts` from `../openrpc.json`.
// Usage: node generate.mjs [--check]; `--check` writes nothing and fails where they are outdated.

import { readFileSync, writeFileSync } from "node:fs";

const document = JSON.parse(readFileSync(new URL("../openrpc.json", import.meta.url), "utf8"));
const HEAD = "// Made by `generate.mjs` from the OpenRPC document. Do not edit.\n";

/** A JSON Schema as a type of TypeScript: of the schema's words those that the document uses. */
function type(schema) {
  if (schema === true || schema === undefined) return "unknown";
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)));
  const some = schema.anyOf ?? schema.oneOf;
  if (some) return union(some.map(type));
  if (schema.allOf) return schema.allOf.map(type).join(" & ");
  return union([schema.type ?? "any"].flat().map((name) => simple(name, schema)));
}

function simple(name, schema) {
  switch (name) {
    case "string":
    case "boolean":
    case "null":
      return name;
    case "integer":
    case "number":
      return "number";
    case "array":
      return `Array<${type(schema.items)}>`;
    case "object":
      if (schema.properties) return members(schema);
      return `{ [name: string]: ${type(schema.additionalProperties)} }`;
    case "any":
      return "unknown";
    default:
      throw new Error(`\`${name}\` is no type that this generator knows`);
  }
}

const union = (types) => [...new Set(types)].join(" | ");

function members({ properties = {}, required = [] }) {
  if (!Object.keys(properties).length) return "{ [name: string]: never }";
  const lines = Object.entries(properties).map(([name, schema]) =>
    comment(schema.description) + `${JSON.stringify(name)}${required.includes(name) ? "" : "?"}: ${type(schema)};\n`);
  return `{\n${indented(lines.join(""))}}`;
}

const indented = (text) => text.replace(/^(?=.)/gm, "  ");

function comment(...texts) {
  const text = texts.filter(Boolean).join("\n\n").replaceAll("*/", "*\\/");
  if (!text) return "";
  return text.includes("\n") ? `/**\n${text.replace(/^/gm, " * ").replace(/ +$/gm, "")}\n */\n` : `/** ${text} */\n`;
}

/** The params of a method as one schema. */
function params(method) {
  const properties = Object.fromEntries(method.params.map(({ name, schema }) => [name, schema]));
  const required = method.params.filter((param) => param.required).map((param) => param.name);
  return { properties, required };
}

function declarations() {
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) =>
    comment(schema.description) + `export type ${name} = ${type(schema)};\n`);
  const methods = document.methods.map((method) => {
    const parts = { properties: { params: params(method), result: method.result.schema }, required: ["params", "result"] };
    parts.properties.params = { type: "object", ...parts.properties.params };
    return comment(method.summary, method.description) + `${JSON.stringify(method.name)}: ${members(parts)};\n`;
  });
  const errors = document["x-errors"].map(({ code, name, hint, data }) =>
    comment(`${name}: ${hint}`) + `[${code}]: ${data ? type(data) : "undefined"};\n`);
  return [
    HEAD,
    ...schemas,
    `/** Every method of the worker: its params and its result. */\nexport interface Methods {\n${indented(methods.join("\n"))}}\n`,
    `/** What the \`data\` of an error holds, by the error's code. */\nexport interface ErrorData {\n${indented(errors.join(""))}}\n`,
    "/** What to do about an error, by its code. */\nexport const HINTS: { readonly [code: number]: string | undefined };\n",
    `/** The worker's limits. */\nexport const LIMITS: ${type(constants(document["x-limits"]))};\n`,
  ].join("\n");
}

/** A schema for values that never change. */
function constants(values) {
  const properties = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { const: value }]));
  return { type: "object", properties, required: Object.keys(values) };
}

function code() {
  const hints = Object.fromEntries(document["x-errors"].map(({ code, hint }) => [code, hint]));
  const written = (name, value) => `export const ${name} = ${JSON.stringify(value, null, 2)};\n`;
  return [HEAD, written("HINTS", hints), written("LIMITS", document["x-limits"])].join("\n");
}

for (const [name, text] of [["lib/contract.d.ts", declarations()], ["lib/contract.js", code()]]) {
  const file = new URL(name, import.meta.url);
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (readFileSync(file, "utf8") !== text) throw new Error(`\`${name}\` is outdated: run \`node generate.mjs\``);
}
