/**
 * A toy program that uses every part of the world: each process greets the next one over the network, answers greetings,
 * keeps timers and turns. It exists to test the world itself.
 */
import type { PeerConnection } from "../../shared/ports/peer-transport.ts";
import type { SimProcess } from "./world/sim-process.ts";
import { machineHost, SimTransport } from "./world/sim-transport.ts";
import type { World } from "./world/world.ts";

const port = 9000;

export interface ToyRing {
  /** What each machine's program did, in order. */
  readonly journal: string[];
}

export function startToyRing(world: World, machines: readonly number[]): ToyRing {
  const journal: string[] = [];
  for (const [index, id] of machines.entries()) {
    const next = machines[(index + 1) % machines.length] as number;
    world.machine(id).start((process) => runToy(world, process, next, journal));
  }
  return { journal };
}

function runToy(world: World, process: SimProcess, next: number, journal: string[]): void {
  const note = (text: string): void => {
    journal.push(`${world.scheduler.nowMs.toFixed(3)} ${process.name} ${text}`);
  };
  const transport = new SimTransport(world.network, process, { brokerId: process.machineId, port });
  transport.listen((connection) => ({
    onMessage: (message) => {
      note(`got ${message.toString()} from ${connection.brokerId}`);
      process.timers.afterTurn(() => connection.send([Buffer.from("re: "), message]));
    },
    onClose: (reason) => note(`lost ${connection.brokerId}: ${reason}`),
  }));
  dial(process, transport, next, note);
}

function dial(process: SimProcess, transport: SimTransport, next: number, note: (text: string) => void): void {
  let greeting = 0;
  const greet = (connection: PeerConnection): void => {
    greeting += 1;
    connection.send([Buffer.from(`hello ${greeting}`)]);
    process.timers.after(process.random.fraction() * 20, () => greet(connection));
  };
  const connection = transport.connect(
    { brokerId: next, host: machineHost(next), port },
    {
      onOpen: () => greet(connection),
      onMessage: (message) => note(`answer ${message.toString()}`),
      onClose: (reason) => {
        note(`closed: ${reason}`);
        process.timers.after(50, () => dial(process, transport, next, note));
      },
    },
  );
}
