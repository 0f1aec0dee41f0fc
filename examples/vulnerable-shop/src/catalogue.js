const axios = require('axios')
const { filter, find } = require('lodash')
const template = require('lodash.template')

const source = process.env.SHOP_CATALOGUE

async function loadCatalogue(query) {
  const { data } = await axios.get(source)
  return filter(data, query)
}

async function priceOf(id) {
  return find(await loadCatalogue({}), { id }).price
}

const receipt = (customer, product, price) =>
  template('<%- customer.name %> bought <%- product %> for <%- price %>')({ customer, product, price })

module.exports = { loadCatalogue, priceOf, receipt }
