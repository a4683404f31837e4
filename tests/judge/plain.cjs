'use strict'
// The SDK's objects as plain JSON and back: what can cross to the tests, and what stays here under a name.

const { PretendFile } = require('./browser.cjs')

const isMessage = (value) =>
  typeof value.ID === 'string' && typeof value.conversationID === 'string' && 'flow' in value && 'sequence' in value

/** Public names only: own fields without a leading underscore, and the getters of the value's class. */
function publicNames(value) {
  const names = new Set(Object.keys(value))
  let proto = Object.getPrototypeOf(value)
  while (proto && Object.getPrototypeOf(proto)) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(proto))) if (property.get) names.add(name)
    proto = Object.getPrototypeOf(proto)
  }
  if (isMessage(value)) names.delete('elements') // deprecated: reading it makes the SDK complain
  return [...names].filter((name) => !name.startsWith('_'))
}

function errorFields(error) {
  if (error === null || typeof error !== 'object') return { code: null, message: String(error) }
  const code = typeof error.code === 'number' ? error.code : null
  return { code, message: String(error.message ?? error) }
}

/** Plain JSON of anything the SDK hands out. `keep(message)` sees every Message on the way, so that it can be named later. */
function toPlain(value, keep, above = []) {
  if (typeof value === 'bigint') return String(value)
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? undefined : value
  if (above.includes(value)) return null
  const inside = [...above, value]
  if (Array.isArray(value)) return value.map((item) => toPlain(item, keep, inside) ?? null)
  const kind = Object.prototype.toString.call(value)
  if (kind === '[object Error]') return errorFields(value)
  if (kind === '[object Date]') return value.toISOString()
  if (kind === '[object Map]') return toPlain(Object.fromEntries(value), keep, inside)
  if (kind === '[object Set]') return toPlain([...value], keep, inside)
  if (isMessage(value)) keep(value)
  const plain = {}
  for (const name of publicNames(value)) {
    let field
    try {
      field = value[name]
    } catch {
      continue // a getter that wants more than the object has
    }
    const crossed = toPlain(field, keep, inside)
    if (crossed !== undefined) plain[name] = crossed
  }
  return plain
}

/** Arguments from the tests: `parse` makes them in the SDK's realm, the two markers become live objects. */
function fromPlain(args, parse, messages) {
  const revive = (_key, value) => {
    if (value === null || typeof value !== 'object') return value
    if (Object.hasOwn(value, '$file')) return new PretendFile(value.$file)
    if (!Object.hasOwn(value, '$message')) return value
    const message = messages.get(value.$message)
    if (!message) throw new Error(`no message ${value.$message} was created, received or listed by this seat`)
    return message
  }
  return parse(JSON.stringify(args), revive)
}

module.exports = { errorFields, fromPlain, toPlain }
