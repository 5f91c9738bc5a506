import type { Environment } from "../../runtime/environment.ts";
import type { AllOptions } from "../options/options.ts";
import type { Pattern, Pipe } from "../pipes/pipe.ts";
import { Receiver } from "./receiver.ts";

/** What PULL, SUB and XSUB share: messages from their peers, one from each in turn, and none to them. */
export abstract class ReceivingPattern implements Pattern {
  readonly receiver: Receiver;

  constructor(environment: Environment, options: AllOptions) {
    this.receiver = new Receiver(environment, options);
  }

  attach(_pipe: Pipe): void {}
  detach(_pipe: Pipe): void {}
  ready(_pipe: Pipe): void {}
  lost(_pipe: Pipe): void {}
  writable(): void {}

  message(pipe: Pipe, parts: Uint8Array[]): void {
    this.receiver.message(pipe, parts);
  }

  subscription(): void {}

  isReadable(): boolean {
    return this.receiver.hasMessage;
  }

  isWritable(): boolean {
    return false;
  }

  orphaned(): number {
    return this.receiver.orphaned();
  }

  optionsChanged(): void {}

  close(): void {
    this.receiver.close();
  }
}
