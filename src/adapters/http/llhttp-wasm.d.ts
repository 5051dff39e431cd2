/** llhttp as undici ships it; undici has no name for it, so its version is pinned exactly and the parser's tests hold the shape. */
declare module 'undici/lib/llhttp/llhttp_simd-wasm.js' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** The part that is used of what the language's own declarations leave to the DOM. */
declare namespace WebAssembly {
  const Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  const Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
