import { coreOf } from "../core.ts";
import type { OptionRule, OptionTable } from "./option-rules.ts";
import type { AllOptions } from "./options.ts";

/** Makes accessors of the options in a table, on the prototype of the class that declares them. */
export function defineOptions<Options>(prototype: Options & object, table: OptionTable<Options>): void {
  for (const [name, rule] of Object.entries(table) as [keyof AllOptions, OptionRule][]) {
    Object.defineProperty(prototype, name, {
      get(this: object) {
        return coreOf(this).options[name];
      },
      set(this: object, value: unknown) {
        coreOf(this).setOption(name, rule, value);
      },
      configurable: true,
    });
  }
}
