// c15t's backend as its documentation sets it up, on PostgreSQL. PORT and DATABASE_HOST (a socket folder) are given.
import { c15tInstance } from '@c15t/backend';
import { kyselyAdapter } from '@c15t/backend/db/adapters/kysely';
import { migrator } from '@c15t/backend/db/migrator';
import { DB } from '@c15t/backend/db/schema';
import { serve } from '@hono/node-server';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';

const pool = new pg.Pool({ host: process.env.DATABASE_HOST, user: 'postgres', database: 'c15t', max: 10 });
const adapter = kyselyAdapter({ db: new Kysely({ dialect: new PostgresDialect({ pool }) }), provider: 'postgresql' });
await (await migrator({ db: DB.client(adapter), schema: 'latest' })).execute();
const instance = c15tInstance({
  adapter,
  trustedOrigins: ['http://localhost'],
  apiKeys: ['unused'],
  basePath: '/',
  logger: { level: 'error' },
});
serve({ fetch: (request) => instance.handler(request), hostname: '127.0.0.1', port: Number(process.env.PORT) });
