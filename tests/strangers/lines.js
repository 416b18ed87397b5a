"use strict";
// What the JavaScript clients share: requests come as lines, and each is answered by a line.
//   get TABLE ADDRESS KIND            the number that is there
//   put TABLE ADDRESS KIND NUMBER     done
//   identify CODE                     {number: text} of the device identification
//   together HOW ADDRESS,COUNT …      holding registers, all asked for before the first answer is there
// A refusal is "exception CODE"; whatever else goes wrong is "error TEXT".

const readline = require("readline");

const SIZES = { uint16: 2, int16: 2, uint32: 4, int32: 4 };

/** The number in the bytes of one or two registers. */
exports.join = (kind, bytes) =>
  kind.startsWith("int") ? bytes.readIntBE(0, SIZES[kind]) : bytes.readUIntBE(0, SIZES[kind]);

exports.split = (kind, number) => {
  const bytes = Buffer.alloc(SIZES[kind]);
  if (kind.startsWith("int")) bytes.writeIntBE(number, 0, SIZES[kind]);
  else bytes.writeUIntBE(number, 0, SIZES[kind]);
  return bytes;
};

/** Calls `ask(address, count, index)` for every span and notes in which order, and with what, they end;
 * and how many requests the socket had been given when its first answer came. */
exports.together = async (socket, spans, ask) => {
  const answers = [];
  const before = socket.bytesWritten;
  let outstanding = 0;
  socket.prependOnceListener("data", () => (outstanding = (socket.bytesWritten - before) / 12));
  await Promise.all(
    spans.map(async (span, index) => {
      const [address, count] = span.split(",").map(Number);
      const words = await ask(address, count, index);
      answers.push([index, Array.from(words)]);
    }),
  );
  return JSON.stringify({ outstanding, answers });
};

/** Answers standard input, until it ends. `codeOf(error)` is the exception's code, if it is one. */
exports.serve = async (client, codeOf) => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [verb, ...words] = line.split(" ");
    try {
      console.log(String(await client[verb](...words)));
    } catch (error) {
      const code = codeOf(error);
      console.log(code === undefined ? `error ${error.message}` : `exception ${code}`);
    }
  }
};
