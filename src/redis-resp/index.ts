export { ZmqError } from "../errors.ts";
export { type DecoderOptions, RespDecoder } from "./decoder.ts";
export { type Argument, CommandWriter, encodeCommand, type WriterEnvironment } from "./encoder.ts";
export { ReplyError, RespError } from "./errors.ts";
export { asText, RespPush, type RespValue, type TextValue } from "./values.ts";
