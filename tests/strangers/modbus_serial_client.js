"use strict";
// A client on npm's modbus-serial; lines.js says what it is asked.

const net = require("net");
const ModbusRTU = require("modbus-serial");
const { join, serve, split, together } = require("./lines");

const socket = net.connect(Number(process.argv[2]), "127.0.0.1");
const modbus = new ModbusRTU();

const reads = {
  coil: (address, count) => modbus.readCoils(address, count),
  discrete_input: (address, count) => modbus.readDiscreteInputs(address, count),
  input_register: (address, count) => modbus.readInputRegisters(address, count),
  holding_register: (address, count) => modbus.readHoldingRegisters(address, count),
};

const client = {
  async get(table, address, kind) {
    const answer = await reads[table](Number(address), kind.endsWith("32") ? 2 : 1);
    return kind === "bool" ? Number(answer.data[0]) : join(kind, answer.buffer);
  },

  async put(table, address, kind, number) {
    if (kind === "bool") await modbus.writeCoil(Number(address), number === "1");
    else if (kind.endsWith("32")) await modbus.writeRegisters(Number(address), split(kind, Number(number)));
    else await modbus.writeRegister(Number(address), split(kind, Number(number)).readUInt16BE());
    return "done";
  },

  async identify(code) {
    return JSON.stringify((await modbus.readDeviceIdentification(Number(code), 0)).data);
  },

  together: (how, ...spans) =>
    together(socket, spans, async (address, count) => (await modbus.readHoldingRegisters(address, count)).data),
};

socket.once("connect", async () => {
  await new Promise((linked) => modbus.linkTCP(socket, {}, linked));
  modbus.setTimeout(5000);
  modbus.setID(1);
  await serve(client, (error) => error.modbusCode);
  modbus.close(() => {});
});
