// A script that is told JSON on its standard input, and tells JSON on its output.
"use strict";

async function input() {
  let text = "";
  for await (const piece of process.stdin) {
    text += piece;
  }
  return JSON.parse(text);
}

// `main` may leave connections open: the process ends once its answer is out.
exports.run = (main) =>
  input()
    .then(main)
    .then((found) => process.stdout.write(JSON.stringify(found), () => process.exit(0)))
    .catch((error) => {
      console.error(error);
      process.exit(1);
    });
