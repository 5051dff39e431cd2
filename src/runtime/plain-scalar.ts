const PLAIN = /^[A-Za-z<][A-Za-z0-9<.]*(?: [A-Za-z0-9<.]+)*$/;
/** What YAML 1.2's core schema reads as something else than text, in any case. */
const OTHERS = /^(?:null|true|false)$/i;

/** Text that is itself in YAML, too: then the parser, which costs more than the rest of a start, needs not be loaded. */
export const isPlainScalar = (text: string): boolean => PLAIN.test(text) && !OTHERS.test(text);
