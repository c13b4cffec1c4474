"""Cities of the simulated world, one a line: country, city, region, latitude, longitude, weight, time zone.

Coordinates are city centres to a hundredth of a degree, as an address database reports them. The weight is about the
number of inhabitants in hundred thousands: it makes big cities likelier homes.
"""

CITIES = """
US,New York,New York,40.71,-74.01,88,America/New_York
US,Boston,Massachusetts,42.36,-71.06,7,America/New_York
US,Atlanta,Georgia,33.75,-84.39,5,America/New_York
US,Chicago,Illinois,41.88,-87.63,27,America/Chicago
US,Dallas,Texas,32.78,-96.80,13,America/Chicago
US,Austin,Texas,30.27,-97.74,10,America/Chicago
US,Houston,Texas,29.76,-95.37,23,America/Chicago
US,Denver,Colorado,39.74,-104.99,7,America/Denver
US,Phoenix,Arizona,33.45,-112.07,16,America/Phoenix
US,Seattle,Washington,47.61,-122.33,7,America/Los_Angeles
US,San Francisco,California,37.77,-122.42,9,America/Los_Angeles
US,Los Angeles,California,34.05,-118.24,39,America/Los_Angeles
US,Miami,Florida,25.76,-80.19,5,America/New_York
US,Ashburn,Virginia,39.04,-77.49,1,America/New_York
CA,Toronto,Ontario,43.65,-79.38,29,America/Toronto
CA,Ottawa,Ontario,45.42,-75.70,10,America/Toronto
CA,Montreal,Quebec,45.50,-73.57,18,America/Toronto
CA,Calgary,Alberta,51.05,-114.07,13,America/Edmonton
CA,Vancouver,British Columbia,49.28,-123.12,7,America/Vancouver
MX,Mexico City,Mexico City,19.43,-99.13,92,America/Mexico_City
MX,Guadalajara,Jalisco,20.67,-103.35,14,America/Mexico_City
MX,Monterrey,Nuevo Leon,25.69,-100.32,11,America/Mexico_City
BR,Sao Paulo,Sao Paulo,-23.55,-46.63,120,America/Sao_Paulo
BR,Rio de Janeiro,Rio de Janeiro,-22.91,-43.17,67,America/Sao_Paulo
BR,Curitiba,Parana,-25.43,-49.27,19,America/Sao_Paulo
BR,Salvador,Bahia,-12.97,-38.50,29,America/Bahia
AR,Buenos Aires,Buenos Aires,-34.60,-58.38,30,America/Argentina/Buenos_Aires
AR,Cordoba,Cordoba,-31.42,-64.18,14,America/Argentina/Buenos_Aires
CO,Bogota,Bogota,4.71,-74.07,79,America/Bogota
CO,Medellin,Antioquia,6.24,-75.58,25,America/Bogota
GB,London,England,51.51,-0.13,89,Europe/London
GB,Manchester,England,53.48,-2.24,6,Europe/London
GB,Birmingham,England,52.48,-1.90,11,Europe/London
GB,Leeds,England,53.80,-1.55,8,Europe/London
GB,Bristol,England,51.45,-2.59,5,Europe/London
GB,Reading,England,51.45,-0.97,2,Europe/London
GB,Edinburgh,Scotland,55.95,-3.19,5,Europe/London
GB,Cardiff,Wales,51.48,-3.18,4,Europe/London
IE,Dublin,Leinster,53.35,-6.26,6,Europe/Dublin
IE,Cork,Munster,51.90,-8.47,2,Europe/Dublin
IE,Galway,Connacht,53.27,-9.06,1,Europe/Dublin
FR,Paris,Ile-de-France,48.86,2.35,21,Europe/Paris
FR,Versailles,Ile-de-France,48.80,2.13,1,Europe/Paris
FR,Lyon,Auvergne-Rhone-Alpes,45.76,4.84,5,Europe/Paris
FR,Marseille,Provence-Alpes-Cote d'Azur,43.30,5.37,9,Europe/Paris
FR,Toulouse,Occitanie,43.60,1.44,5,Europe/Paris
FR,Lille,Hauts-de-France,50.63,3.06,2,Europe/Paris
FR,Nantes,Pays de la Loire,47.22,-1.55,3,Europe/Paris
DE,Berlin,Berlin,52.52,13.41,37,Europe/Berlin
DE,Potsdam,Brandenburg,52.40,13.07,2,Europe/Berlin
DE,Hamburg,Hamburg,53.55,9.99,19,Europe/Berlin
DE,Munich,Bavaria,48.14,11.58,15,Europe/Berlin
DE,Augsburg,Bavaria,48.37,10.90,3,Europe/Berlin
DE,Frankfurt am Main,Hesse,50.11,8.68,8,Europe/Berlin
DE,Darmstadt,Hesse,49.87,8.65,2,Europe/Berlin
DE,Mainz,Rhineland-Palatinate,50.00,8.27,2,Europe/Berlin
DE,Cologne,North Rhine-Westphalia,50.94,6.96,11,Europe/Berlin
DE,Dusseldorf,North Rhine-Westphalia,51.23,6.78,6,Europe/Berlin
DE,Stuttgart,Baden-Wurttemberg,48.78,9.18,6,Europe/Berlin
DE,Leipzig,Saxony,51.34,12.37,6,Europe/Berlin
NL,Amsterdam,North Holland,52.37,4.90,9,Europe/Amsterdam
NL,Haarlem,North Holland,52.38,4.64,2,Europe/Amsterdam
NL,Utrecht,Utrecht,52.09,5.12,4,Europe/Amsterdam
NL,Rotterdam,South Holland,51.92,4.48,7,Europe/Amsterdam
NL,Eindhoven,North Brabant,51.44,5.48,2,Europe/Amsterdam
BE,Brussels,Brussels,50.85,4.35,12,Europe/Brussels
BE,Antwerp,Flanders,51.22,4.40,5,Europe/Brussels
BE,Ghent,Flanders,51.05,3.72,3,Europe/Brussels
CH,Zurich,Zurich,47.38,8.54,4,Europe/Zurich
CH,Winterthur,Zurich,47.50,8.72,1,Europe/Zurich
CH,Geneva,Geneva,46.20,6.14,2,Europe/Zurich
CH,Basel,Basel-City,47.56,7.59,2,Europe/Zurich
CH,Bern,Bern,46.95,7.45,1,Europe/Zurich
AT,Vienna,Vienna,48.21,16.37,19,Europe/Vienna
AT,Graz,Styria,47.07,15.44,3,Europe/Vienna
AT,Linz,Upper Austria,48.31,14.29,2,Europe/Vienna
ES,Madrid,Madrid,40.42,-3.70,33,Europe/Madrid
ES,Barcelona,Catalonia,41.39,2.17,16,Europe/Madrid
ES,Valencia,Valencia,39.47,-0.38,8,Europe/Madrid
ES,Seville,Andalusia,37.39,-5.98,7,Europe/Madrid
ES,Malaga,Andalusia,36.72,-4.42,6,Europe/Madrid
ES,Palma,Balearic Islands,39.57,2.65,4,Europe/Madrid
PT,Lisbon,Lisbon,38.72,-9.14,6,Europe/Lisbon
PT,Porto,Porto,41.16,-8.63,3,Europe/Lisbon
PT,Faro,Faro,37.02,-7.93,1,Europe/Lisbon
IT,Rome,Lazio,41.90,12.50,28,Europe/Rome
IT,Milan,Lombardy,45.46,9.19,14,Europe/Rome
IT,Bergamo,Lombardy,45.70,9.67,1,Europe/Rome
IT,Turin,Piedmont,45.07,7.69,9,Europe/Rome
IT,Naples,Campania,40.85,14.27,9,Europe/Rome
IT,Bologna,Emilia-Romagna,44.49,11.34,4,Europe/Rome
PL,Warsaw,Mazovia,52.23,21.01,18,Europe/Warsaw
PL,Krakow,Lesser Poland,50.06,19.94,8,Europe/Warsaw
PL,Wroclaw,Lower Silesia,51.11,17.03,6,Europe/Warsaw
PL,Gdansk,Pomerania,54.35,18.65,5,Europe/Warsaw
PL,Lodz,Lodz,51.76,19.46,7,Europe/Warsaw
CZ,Prague,Prague,50.08,14.44,13,Europe/Prague
CZ,Brno,South Moravia,49.20,16.61,4,Europe/Prague
SE,Stockholm,Stockholm,59.33,18.07,10,Europe/Stockholm
SE,Uppsala,Uppsala,59.86,17.64,2,Europe/Stockholm
SE,Gothenburg,Vastra Gotaland,57.71,11.97,6,Europe/Stockholm
SE,Malmo,Skane,55.60,13.00,3,Europe/Stockholm
NO,Oslo,Oslo,59.91,10.75,7,Europe/Oslo
NO,Bergen,Vestland,60.39,5.32,3,Europe/Oslo
NO,Stavanger,Rogaland,58.97,5.73,1,Europe/Oslo
NO,Trondheim,Trondelag,63.43,10.40,2,Europe/Oslo
DK,Copenhagen,Capital Region,55.68,12.57,7,Europe/Copenhagen
DK,Aarhus,Central Jutland,56.16,10.20,3,Europe/Copenhagen
FI,Helsinki,Uusimaa,60.17,24.94,7,Europe/Helsinki
FI,Espoo,Uusimaa,60.21,24.66,3,Europe/Helsinki
FI,Tampere,Pirkanmaa,61.50,23.79,2,Europe/Helsinki
RO,Bucharest,Bucharest,44.43,26.10,18,Europe/Bucharest
RO,Cluj-Napoca,Cluj,46.77,23.60,3,Europe/Bucharest
RO,Iasi,Iasi,47.16,27.59,3,Europe/Bucharest
GR,Athens,Attica,37.98,23.73,7,Europe/Athens
GR,Thessaloniki,Central Macedonia,40.64,22.94,3,Europe/Athens
GR,Heraklion,Crete,35.34,25.14,1,Europe/Athens
UA,Kyiv,Kyiv,50.45,30.52,29,Europe/Kyiv
UA,Lviv,Lviv,49.84,24.03,7,Europe/Kyiv
TR,Istanbul,Istanbul,41.01,28.98,155,Europe/Istanbul
TR,Ankara,Ankara,39.93,32.86,57,Europe/Istanbul
TR,Antalya,Antalya,36.90,30.71,13,Europe/Istanbul
IL,Tel Aviv,Tel Aviv,32.08,34.78,5,Asia/Jerusalem
IL,Haifa,Haifa,32.79,34.99,3,Asia/Jerusalem
AE,Dubai,Dubai,25.20,55.27,33,Asia/Dubai
AE,Abu Dhabi,Abu Dhabi,24.45,54.38,15,Asia/Dubai
SA,Riyadh,Riyadh,24.71,46.68,70,Asia/Riyadh
SA,Jeddah,Makkah,21.49,39.19,40,Asia/Riyadh
EG,Cairo,Cairo,30.04,31.24,97,Africa/Cairo
EG,Alexandria,Alexandria,31.20,29.92,52,Africa/Cairo
NG,Lagos,Lagos,6.52,3.38,150,Africa/Lagos
NG,Abuja,Federal Capital Territory,9.06,7.50,30,Africa/Lagos
KE,Nairobi,Nairobi,-1.29,36.82,44,Africa/Nairobi
KE,Mombasa,Mombasa,-4.04,39.67,12,Africa/Nairobi
ZA,Johannesburg,Gauteng,-26.20,28.05,56,Africa/Johannesburg
ZA,Cape Town,Western Cape,-33.92,18.42,43,Africa/Johannesburg
ZA,Durban,KwaZulu-Natal,-29.86,31.02,36,Africa/Johannesburg
IN,Mumbai,Maharashtra,19.08,72.88,124,Asia/Kolkata
IN,Pune,Maharashtra,18.52,73.86,31,Asia/Kolkata
IN,Bengaluru,Karnataka,12.97,77.59,84,Asia/Kolkata
IN,Delhi,Delhi,28.61,77.21,110,Asia/Kolkata
IN,Hyderabad,Telangana,17.39,78.49,68,Asia/Kolkata
IN,Chennai,Tamil Nadu,13.08,80.27,46,Asia/Kolkata
PK,Karachi,Sindh,24.86,67.01,149,Asia/Karachi
PK,Lahore,Punjab,31.55,74.34,111,Asia/Karachi
BD,Dhaka,Dhaka,23.81,90.41,89,Asia/Dhaka
BD,Chittagong,Chittagong,22.36,91.78,26,Asia/Dhaka
ID,Jakarta,Jakarta,-6.21,106.85,106,Asia/Jakarta
ID,Surabaya,East Java,-7.26,112.75,29,Asia/Jakarta
ID,Denpasar,Bali,-8.65,115.22,7,Asia/Makassar
MY,Kuala Lumpur,Kuala Lumpur,3.14,101.69,18,Asia/Kuala_Lumpur
MY,George Town,Penang,5.41,100.33,7,Asia/Kuala_Lumpur
SG,Singapore,Singapore,1.35,103.82,57,Asia/Singapore
TH,Bangkok,Bangkok,13.76,100.50,83,Asia/Bangkok
TH,Chiang Mai,Chiang Mai,18.79,98.98,2,Asia/Bangkok
TH,Phuket,Phuket,7.88,98.39,1,Asia/Bangkok
VN,Hanoi,Hanoi,21.03,105.85,53,Asia/Ho_Chi_Minh
VN,Ho Chi Minh City,Ho Chi Minh City,10.82,106.63,90,Asia/Ho_Chi_Minh
PH,Manila,Metro Manila,14.60,120.98,18,Asia/Manila
PH,Cebu City,Central Visayas,10.32,123.89,9,Asia/Manila
JP,Tokyo,Tokyo,35.68,139.69,140,Asia/Tokyo
JP,Yokohama,Kanagawa,35.44,139.64,37,Asia/Tokyo
JP,Osaka,Osaka,34.69,135.50,27,Asia/Tokyo
JP,Fukuoka,Fukuoka,33.59,130.40,16,Asia/Tokyo
KR,Seoul,Seoul,37.57,126.98,97,Asia/Seoul
KR,Busan,Busan,35.18,129.08,34,Asia/Seoul
AU,Sydney,New South Wales,-33.87,151.21,53,Australia/Sydney
AU,Melbourne,Victoria,-37.81,144.96,51,Australia/Melbourne
AU,Brisbane,Queensland,-27.47,153.03,25,Australia/Brisbane
AU,Perth,Western Australia,-31.95,115.86,21,Australia/Perth
NZ,Auckland,Auckland,-36.85,174.76,16,Pacific/Auckland
NZ,Wellington,Wellington,-41.29,174.78,4,Pacific/Auckland
RU,Moscow,Moscow,55.76,37.62,125,Europe/Moscow
RU,Saint Petersburg,Saint Petersburg,59.93,30.34,54,Europe/Moscow
RU,Yekaterinburg,Sverdlovsk,56.84,60.61,15,Asia/Yekaterinburg
CN,Beijing,Beijing,39.90,116.41,218,Asia/Shanghai
CN,Shanghai,Shanghai,31.23,121.47,248,Asia/Shanghai
CN,Shenzhen,Guangdong,22.54,114.06,175,Asia/Shanghai
HK,Hong Kong,Hong Kong,22.32,114.17,74,Asia/Hong_Kong
"""
