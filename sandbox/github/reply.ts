export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

export const json = (data: unknown, status = 200): Reply => ({
  status,
  headers: JSON_TYPE,
  body: JSON.stringify(data),
});

export const problem = (status: number, message: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { ...JSON_TYPE, ...headers },
  body: JSON.stringify({ message, documentation_url: 'https://docs.github.com/rest' }),
});

/** One page of a list, with the Link header that leads to the next. */
export function paged(
  all: readonly unknown[],
  url: URL,
  wrap: (page: readonly unknown[]) => unknown = (page) => page,
): Reply {
  const size = Math.min(100, Math.max(1, Number(url.searchParams.get('per_page') ?? 30)));
  const page = Math.max(1, Number(url.searchParams.get('page') ?? 1));
  const answer = json(wrap(all.slice((page - 1) * size, page * size)));
  if (page * size >= all.length) return answer;
  const next = new URL(url);
  next.searchParams.set('page', String(page + 1));
  return { ...answer, headers: { ...answer.headers, link: `<${next.href}>; rel="next"` } };
}
