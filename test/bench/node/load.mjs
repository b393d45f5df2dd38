// Loads a CSV file from an address into a table of text columns, as many services in Node do it: csv-parse makes objects of
// the rows, and they go to COPY as they come. The database is named by the variables of libpq.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parse } from 'csv-parse'
import { stringify } from 'csv-stringify'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

const [url, table] = process.argv.slice(2)
const quoted = name => `"${name.replaceAll('"', '""')}"`

const client = new pg.Client()
await client.connect()
try {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  let columns
  await pipeline(
    Readable.fromWeb(response.body),
    parse({ columns: header => (columns = header) }),
    stringify({ quoted_empty: false }),
    async function * (rows) { // the table can be made once the header is known
      let made = false
      for await (const text of rows) {
        if (!made) await client.query(`CREATE TABLE ${quoted(table)} (${columns.map(c => quoted(c) + ' text').join(', ')})`)
        made = true
        yield text
      }
    },
    async function (rows) {
      const first = await rows.next()
      const copy = client.query(copyFrom(`COPY ${quoted(table)} FROM STDIN (FORMAT csv)`))
      copy.write(first.value)
      await pipeline(rows, copy)
    }
  )
} finally {
  await client.end()
}
