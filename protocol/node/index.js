// What hosts use. The contract's types come with it: they are made from its OpenRPC document.

export * from "./lib/client.js";
export * from "./lib/contract.js";
export * from "./lib/error.js";
export * from "./lib/options.js";
export * from "./lib/process.js";
export * from "./lib/program.js";
