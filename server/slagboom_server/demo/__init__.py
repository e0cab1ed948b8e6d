"""The demo: three company sites, stand-in vendors and a start page, on one port by host name.

`app.build_demo` puts them around the kit. Nothing in here needs the internet.
"""
