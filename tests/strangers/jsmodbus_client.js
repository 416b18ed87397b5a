"use strict";
// A client on npm's jsmodbus; lines.js says what it is asked.

const net = require("net");
const jsmodbus = require("jsmodbus");
const { join, serve, split, together } = require("./lines");

const UNIT = 1;
const socket = new net.Socket();
const modbus = new jsmodbus.client.TCP(socket, UNIT, 5000);

const reads = {
  coil: (address, count) => modbus.readCoils(address, count),
  discrete_input: (address, count) => modbus.readDiscreteInputs(address, count),
  input_register: (address, count) => modbus.readInputRegisters(address, count),
  holding_register: (address, count) => modbus.readHoldingRegisters(address, count),
};

const askInTurn = async (address, count) =>
  (await modbus.readHoldingRegisters(address, count)).response.body.valuesAsArray;

// The client sends its next request when the last is answered. So that twenty are on the way at once, this
// sends jsmodbus's requests past its queue, and takes the answers by their transaction ids.
const askAtOnce = () => {
  const waiting = new Map();
  let received = Buffer.alloc(0);
  socket.on("data", (data) => {
    received = Buffer.concat([received, data]);
    for (let answer; (answer = jsmodbus.ModbusTCPResponse.fromBuffer(received)); ) {
      received = received.subarray(answer.byteCount);
      waiting.get(answer.id)(answer.body.valuesAsArray);
    }
  });
  return (address, count, index) =>
    new Promise((answered) => {
      const body = new jsmodbus.requests.ReadHoldingRegistersRequestBody(address, count);
      waiting.set(index, answered);
      socket.write(new jsmodbus.ModbusTCPRequest(index, 0, body.byteCount + 1, UNIT, body).createPayload());
    });
};

const client = {
  async get(table, address, kind) {
    const { body } = (await reads[table](Number(address), kind.endsWith("32") ? 2 : 1)).response;
    return kind === "bool" ? body.valuesAsArray[0] : join(kind, body.valuesAsBuffer);
  },

  async put(table, address, kind, number) {
    if (kind === "bool") await modbus.writeSingleCoil(Number(address), number === "1");
    else if (kind.endsWith("32"))
      await modbus.writeMultipleRegisters(Number(address), split(kind, Number(number)));
    else await modbus.writeSingleRegister(Number(address), split(kind, Number(number)).readUInt16BE());
    return "done";
  },

  async identify(code) {
    const { objects } = (await modbus.readDeviceIdentification(Number(code), 0)).response.body;
    return JSON.stringify(Object.fromEntries(objects.map(({ id, value }) => [id, value.toString()])));
  },

  together: (how, ...spans) => together(socket, spans, how === "queued" ? askInTurn : askAtOnce()),
};

socket.once("connect", async () => {
  await serve(client, (error) => (error.err === "ModbusException" ? error.response.body.code : undefined));
  socket.end();
});
socket.connect(Number(process.argv[2]), "127.0.0.1");
