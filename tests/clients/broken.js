// A download whose service dies, by `fetch` as the guide has it; prints the error that tells. JSON in, JSON out.
"use strict";

const { createWriteStream } = require("node:fs");
const { Readable } = require("node:stream");
const { pipeline } = require("node:stream/promises");

const { run } = require("./told");

async function main(told) {
  const download = await fetch(told.link);
  for (const pid of told.kill) {
    process.kill(pid, "SIGKILL");
  }
  try {
    await pipeline(Readable.fromWeb(download.body), createWriteStream(told.file));
    return { error: null };
  } catch (error) {
    return { error: error.message };
  }
}

run(main);
