"""Words and phrases that the texts of a banner may not use, per language."""

from __future__ import annotations

STEERING_WORDS: dict[str, tuple[str, ...]] = {
    "en": (
        *("best", "better", "improve", "improved", "optimal", "great", "enjoy", "love", "happy"),
        *("experience", "recommended", "free", "please", "sorry", "unfortunately", "miss"),
        *("limited", "less", "worse", "ok", "okay", "got it", "fine", "continue", "sure"),
    ),
    "nl": (
        *("best", "beste", "beter", "betere", "optimaal", "optimale", "verbeter", "verbeteren"),
        *("geniet", "ervaring", "beleving", "aanbevolen", "gratis", "graag", "leuk", "helaas"),
        *("jammer", "beperkt", "beperkte", "minder", "ok", "oké", "prima", "begrepen", "akkoord"),
        *("doorgaan", "verder", "natuurlijk"),
    ),
    "fr": (
        *("meilleur", "meilleure", "mieux", "améliorer", "optimal", "optimale", "profiter"),
        *("expérience", "recommandé", "recommandée", "gratuit", "volontiers", "malheureusement"),
        *("dommage", "limité", "limitée", "moins", "ok", "d'accord", "compris", "continuer"),
        *("poursuivre",),
    ),
    "de": (
        *("best", "beste", "besten", "besser", "optimal", "optimale", "verbessern", "genießen"),
        *("erlebnis", "erfahrung", "empfohlen", "kostenlos", "gratis", "gern", "gerne", "leider"),
        *("schade", "eingeschränkt", "weniger", "ok", "okay", "verstanden", "weiter", "fortfahren"),
        *("einverstanden",),
    ),
}
"""Words on a button that praise one answer, regret the other or hide that an answer is given."""

CONTINUED_BROWSING = (
    *("by continuing", "if you continue browsing", "if you continue to use", "by using this site"),
    *("by using this website", "by using our", "by browsing", "by scrolling", "continued use"),
    *("door verder te", "door te blijven", "door gebruik te maken van", "door te scrollen"),
    *("als u verder surft", "als je verder surft", "als u verdergaat", "als je verdergaat"),
    *("en poursuivant", "en continuant votre", "en continuant à", "en naviguant"),
    *("si vous continuez à", "en utilisant ce site", "en faisant défiler"),
    *("durch weiteres", "durch die weitere", "durch die nutzung", "durch weitersurfen"),
    *("indem sie weiter", "wenn sie weitersurfen", "mit der weiteren nutzung", "durch scrollen"),
)
"""Phrases that take going on, scrolling or using the site for an answer."""

LEGITIMATE_INTEREST = (
    *("legitimate interest", "gerechtvaardigd belang", "gerechtvaardigde belang"),
    *("legitiem belang", "intérêt légitime", "intérêts légitimes"),
    *("berechtigtes interesse", "berechtigte interesse", "berechtigten interesse"),
)
