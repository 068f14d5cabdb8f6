export { decide as decideCommand } from "./decide.ts";
