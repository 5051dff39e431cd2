/**
 * Text of anybody inside Markdown of ours: it shows what it is and makes nothing. No HTML, no link or picture whose words
 * hide where it goes, no code that swallows what follows, nobody who is mentioned. Written as character references,
 * which never are structure (CommonMark 0.31, 2.5), whatever stands before them; a bare URL stays one, because it says
 * where it goes.
 */
export const plainMarkdown = (text: string): string => withoutCode(livelessMarkdown(text));

/** The same of Markdown in which we wrote code and emphasis. */
export const livelessMarkdown = (text: string): string =>
  text
    .replaceAll(/&(?=#?\w+;)/g, '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('[', '&#91;')
    .replaceAll(']', '&#93;')
    // GitHub looks for mentions in what is rendered, where a reference is a sign again; a digest's has a word before it.
    .replaceAll(/(?<!\w)@(?=\w)/g, '@\u200b');

const withoutCode = (text: string): string => text.replaceAll('`', '&#96;');
