const express = require('express')
const jwt = require('jsonwebtoken')
const mkdirp = require('mkdirp')
const parseArgs = require('parse-args')
const { loadCatalogue, priceOf, receipt } = require('./catalogue')

const options = parseArgs(process.argv.slice(2), { default: { port: 3000, data: 'data' } })
mkdirp.sync(options.data)

const app = express()

app.get('/products', async (request, response) => {
  response.json(await loadCatalogue(request.query))
})

app.get('/receipt/:product', async (request, response) => {
  const customer = jwt.verify(request.headers.authorization, process.env.SHOP_KEY)
  response.send(receipt(customer, request.params.product, await priceOf(request.params.product)))
})

app.listen(options.port)
