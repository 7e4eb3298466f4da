// Renders /openapi.json of the same origin. Texts become text nodes only: nothing in the document can become markup.
'use strict';

/** An element with children; strings become text. */
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.flat().filter((child) => child !== undefined && child !== ''));
  return element;
}

/** Text with `code` and **strong** in it. */
function inline(text) {
  return text.split(/(`[^`]*`|\*\*[^*]*\*\*)/).map((part) => {
    if (part.startsWith('`')) return make('code', {}, part.slice(1, -1));
    if (part.startsWith('**')) return make('strong', {}, part.slice(2, -2));
    return part;
  });
}

/** Paragraphs and tables of a description. */
function prose(text) {
  return (text || '').split(/\n\n+/).map((block) => {
    const lines = block.trim().split('\n');
    if (!lines[0].startsWith('|')) return make('p', {}, inline(block));
    const cells = (line) => line.split('|').slice(1, -1).map((cell) => inline(cell.trim()));
    const row = (line, kind) => make('tr', {}, cells(line).map((cell) => make(kind, {}, cell)));
    return make('table', {}, row(lines[0], 'th'), lines.slice(2).map((line) => row(line, 'td')));
  });
}

const nameOf = (reference) => reference.split('/').pop();

/** A schema in a few words, with links to those that have a name. */
function kind(schema) {
  if (!schema) return ['anything'];
  if (schema.$ref) return [make('a', { href: '#schema-' + nameOf(schema.$ref) }, nameOf(schema.$ref))];
  const some = schema.oneOf || schema.anyOf;
  if (some) return some.flatMap((one, place) => [place ? ' or ' : '', ...kind(one)]);
  if (schema.allOf) return schema.allOf.flatMap((one, place) => [place ? ' and ' : '', ...kind(one)]);
  if (schema.enum) return [schema.enum.map((word) => JSON.stringify(word)).join(', ')];
  const types = [].concat(schema.type || 'object');
  if (types.includes('array')) return ['list of ', ...kind(schema.items)];
  return [types.join(' or ') + (schema.format ? ' (' + schema.format + ')' : '')];
}

/** A table of an object's fields. */
function fields(schema) {
  const parts = (schema.allOf || [schema]).filter((part) => part.properties);
  const rows = parts.flatMap((part) =>
    Object.entries(part.properties).map(([name, field]) =>
      make('tr', {},
        make('td', {}, make('code', {}, name), (part.required || []).includes(name) ? ' *' : ''),
        make('td', { class: 'type' }, kind(field)),
        make('td', {}, inline(field.description || '')))));
  return rows.length ? make('table', {}, rows) : '';
}

function operation(method, path, entry) {
  const parameters = (entry.parameters || []).map((one) =>
    make('tr', {},
      make('td', {}, make('code', {}, one.name), one.required ? ' *' : ''),
      make('td', { class: 'type' }, one.in),
      make('td', {}, inline(one.description || ''))));
  const content = (holder) => Object.values((holder || {}).content || {})[0];
  const responses = Object.entries(entry.responses).map(([status, response]) => {
    const target = response.$ref ? ['see ', make('a', { href: '#problem' }, 'errors')] : inline(response.description);
    const body = content(response);
    return make('tr', {}, make('td', {}, make('code', {}, status)), make('td', {}, target),
      make('td', { class: 'type' }, body ? kind(body.schema) : ''));
  });
  const request = content(entry.requestBody);
  return make('section', { id: entry.operationId, class: 'operation' },
    make('h3', {}, make('span', { class: 'method' }, method.toUpperCase()), ' ', make('code', {}, path)),
    make('p', {}, inline(entry.summary || '')),
    request ? make('p', {}, 'Body: ', kind(request.schema)) : '',
    parameters.length ? make('details', {}, make('summary', {}, 'Parameters'), make('table', {}, parameters)) : '',
    make('table', {}, responses));
}

function render(api) {
  const main = document.getElementById('main');
  const index = document.getElementById('index');
  main.replaceChildren(make('h1', {}, api.info.title, ' ', make('small', {}, api.info.version)),
    ...prose(api.info.description));
  let last;
  for (const [path, item] of Object.entries(api.paths)) {
    for (const [method, entry] of Object.entries(item)) {
      const tag = entry.tags[0];
      if (tag !== last) {
        index.append(make('li', { class: 'tag' }, tag));
        main.append(make('h2', {}, tag));
        last = tag;
      }
      const link = make('a', { href: '#' + entry.operationId }, entry.operationId);
      index.append(make('li', { 'data-text': (method + path + entry.summary).toLowerCase() }, link));
      main.append(operation(method, path, entry));
    }
  }
  const problem = api.components.responses.Problem;
  main.append(make('h2', { id: 'problem' }, 'Errors'), ...prose(problem.description), make('h2', {}, 'Schemas'));
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    main.append(make('section', { id: 'schema-' + name }, make('h3', {}, name), ...prose(schema.description),
      schema.enum ? make('p', {}, kind(schema)) : '', fields(schema)));
  }
}

document.getElementById('filter').addEventListener('input', (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const line of document.querySelectorAll('#index li[data-text]')) {
    line.hidden = !line.dataset.text.includes(wanted);
  }
});

fetch('/openapi.json')
  .then((response) => response.json())
  .then(render)
  .catch((error) => {
    document.getElementById('state').textContent = 'The document could not be read: ' + error;
  });
