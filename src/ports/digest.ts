/** SHA-256 of UTF-8 text, as 64 lower-case hex digits. A port, because the domain imports no library and Node's is one. */
export type Sha256 = (text: string) => string;

/** HMAC-SHA-256 of UTF-8 text, as 64 lower-case hex digits. */
export type Hmac = (key: string, text: string) => string;
